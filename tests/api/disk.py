"""Where on the disk a text is: every file of a directory, zstd frames in it decompressed as well."""
import pathlib
import shutil
import subprocess

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def plain_parts(data):
    """The bytes as they are, and what each zstd frame in them holds."""
    yield data
    at = data.find(ZSTD_MAGIC)
    while at >= 0:
        following = data.find(ZSTD_MAGIC, at + 4)
        frame = data[at:following if following >= 0 else len(data)]
        done = subprocess.run([shutil.which("zstd") or "/usr/bin/zstd", "-dcq"], input=frame, capture_output=True)
        yield done.stdout                                  # what could be read of it: behind the frame stand other bytes
        at = following


def all_places_of(directory, texts):
    """{text: names of the files that hold it}, in any case of letters."""
    places = {text: [] for text in texts}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        parts = [part.lower() for part in plain_parts(path.read_bytes())] if path.is_file() else []
        for text in texts:
            if any(text.encode().lower() in part for part in parts):
                places[text].append(str(path.relative_to(directory)))
    return places


def places_of(directory, text):
    return all_places_of(directory, [text])[text]
