/* DESTINATION(name): every destination there is, in the order that --help lists them. */
DESTINATION(mixpanel)
DESTINATION(kissmetrics)
DESTINATION(intercom)
DESTINATION(webhook)
