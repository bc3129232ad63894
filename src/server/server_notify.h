/* server_notify: tells systemd what state the service is in (sd_notify's protocol: one datagram to the socket
 * that NOTIFY_SOCKET names). Does nothing elsewhere. */
#ifndef ONYM_SERVER_NOTIFY_H
#define ONYM_SERVER_NOTIFY_H

/* state: "READY=1", "RELOADING=1", "STOPPING=1". The time stamp that systemd wants is added to RELOADING. */
void notify_service(const char *state);

#endif
