/* destination_intercom: what the five files of the Intercom destination say to each other. */
#ifndef ONYM_DESTINATION_INTERCOM_H
#define ONYM_DESTINATION_INTERCOM_H

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
    KIND_LOOK = 'f',                /* find it, or make it by its external id alone; body: {"external_id"} */
    KIND_LEAD = 'L',                /* create a lead; body: key of the memory as a field, the contact */
    KIND_LEAD_OF_LINES = 'l',       /* … as it was frozen before: the key, line end, the contact */
    KIND_MERGE = 'm',               /* a lead becomes part of the contact; body: the lead's id */
    KIND_EVENT = 'e',               /* body: the event; creates the contact where Intercom does not know it */
    KIND_COMPANY = 'o',             /* body: the company */
    KIND_ATTACH = 't',              /* the contact belongs to that company; body: its own id (before: empty) */
    KIND_DETACH = 'd',              /* body: the company's own id */
};

/* destination_intercom_build.c: messages as calls. */
Status MUST intercom_build(struct plan *plan, const Outgoing *message, Err *err);

/* destination_intercom_field.c: traits and properties as fields, attributes and metadata. */
void intercom_put_contact(struct plan *plan, struct buf *out, const Outgoing *message, const TreeNode *traits,
                          Str user_id, const char *role);
void intercom_put_company(struct plan *plan, struct buf *out, const TreeNode *traits, Str id);
void intercom_put_metadata(struct plan *plan, struct buf *out, const TreeNode *properties, Str email);
bool intercom_is_active(const Outgoing *message);

/* destination_intercom_strip.c: attributes that the workspace turned out not to have are left out. */
Str intercom_json_of(const Call *call);             /* the contact or company that a call is about; empty: none */
Str intercom_strip(Arena *arena, Str json, const char *facts);
/* An answer says that an attribute is wrong: true where the call goes on without it. */
bool intercom_judge_attributes(const JudgeInput *input, const TreeNode *body, Ruling *ruling);
/* The step "attributes": the names that the workspace has. */
Str intercom_attributes_path(const Call *call);
void intercom_judge_names(const JudgeInput *input, const TreeNode *body, Ruling *ruling);
void intercom_forget_strip(char *facts);
Str intercom_error_message(const TreeNode *body);

/* destination_intercom_step.c: calls as requests, one after the other, by what the answers taught. */
Status MUST intercom_pack(const PackInput *input, Arena *arena, FetchRequest *ret, Err *err);
void intercom_judge(const JudgeInput *input, Ruling *ruling);

#endif
