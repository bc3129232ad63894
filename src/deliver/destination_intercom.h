/* destination_intercom: what the three files of the Intercom destination say to each other. */
#ifndef ONYM_DELIVER_DESTINATION_INTERCOM_H
#define ONYM_DELIVER_DESTINATION_INTERCOM_H

#include "destination.h"
#include "destination_text.h"

/* In the order of intercom_options. */
enum {
    INTERCOM_TOKEN, INTERCOM_REGION, INTERCOM_ENDPOINT, INTERCOM_VERSION, INTERCOM_ANONYMOUS,
    INTERCOM_SESSION, INTERCOM_MERGE_LEADS, INTERCOM_ATTRIBUTES, INTERCOM_NESTED, INTERCOM_NESTED_OF,
    INTERCOM_RICH_LINKS, INTERCOM_CONTEXT, INTERCOM_UNARCHIVE, INTERCOM_IDENTITY_SECRET,
};

/* What a call does. Several take more than one request: the step stands in the fact "do". */
enum {
    KIND_CONTACT = 'c',             /* find the contact, then update or create it; body: the contact */
    KIND_LOOK = 'f',                /* only find it; body: {"external_id"} or {"email"} */
    KIND_LEAD = 'l',                /* create a lead; body: key of the memory, line end, the contact */
    KIND_MERGE = 'm',               /* a lead becomes part of the contact; body: the lead's id */
    KIND_EVENT = 'e',               /* body: the event; creates the contact where Intercom does not know it */
    KIND_COMPANY = 'o',             /* body: the company */
    KIND_ATTACH = 't',              /* the contact belongs to that company; empty body */
    KIND_DETACH = 'd',              /* body: the company's own id */
};

/* destination_intercom_build.c: messages as calls. */
Status MUST intercom_build(struct plan *plan, const Outgoing *message, Err *err);

/* destination_intercom_step.c: calls as requests, one after the other, by what the answers taught. */
Status MUST intercom_pack(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err);
void intercom_judge(const JudgeInput *input, Ruling *ruling);

#endif
