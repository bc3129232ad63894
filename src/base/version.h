/* The version, said here and nowhere else: `onym --version`, the tarball, the package and the API read it.
 * MAJOR.MINOR.PATCH; docs/compatibility.md says what a change of each promises. */
#ifndef ONYM_BASE_VERSION_H
#define ONYM_BASE_VERSION_H

#define ONYM_VERSION "0.1.0"

#endif
