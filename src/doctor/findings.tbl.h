/* Everything that the doctor can find: what it counts, from which share on that is a finding, what it costs, and how to
 * mend it. docs/doctor.md defines the codes that work.
 *
 * FINDING(NAME, code, by, least, ppm, error_ppm, floor, base, title, of, why, effect)
 *     by          PASS: a pass over messages finds it (doctor_*.c); SYMPTOM: counted as messages come (symptoms/);
 *                 LATER: nothing finds it yet, and no page of docs/ names it
 *     least       INFO, WARNING, ERROR: how bad a finding is at least
 *     ppm         a finding if the lower bound of the share is above this, in millionths; 0: any share will do
 *     error_ppm   an error if the bound is above this; 0: never more than `least`
 *     floor       the least number of cases
 *     base        the least number of things that the share is of
 *     of          what the share is of, in words that follow a number
 *     why         what it costs
 *     effect      what it does to a number that people look at. {count}, {people}, {event}, {field}, {value} are filled
 *                 in; {count:events are|event is} gives the number with the words for several or for one
 * MEND(NAME, sdk, code)
 *     sdk         browser, node, python, npm, server: for which library the code is
 * DATA_MEND(NAME, text)
 *     how to mend the data that has already come
 */
#ifndef FINDING
#define FINDING(...)
#endif
#ifndef MEND
#define MEND(...)
#endif
#ifndef DATA_MEND
#define DATA_MEND(...)
#endif

#define MEND_COOKIE_NODE "const id = JSON.parse(decodeURIComponent(req.cookies.ajs_anonymous_id || 'null'))\n" \
    "analytics.track({ userId: user.id, anonymousId: id ?? undefined, event: 'Signed Up' })"
#define MEND_COOKIE_PYTHON "id = json.loads(unquote(request.cookies.get('ajs_anonymous_id', 'null')))\n" \
    "analytics.track(user_id=user.id, anonymous_id=id, event='Signed Up')"
#define MEND_RESET "analytics.track('Signed Out')\nanalytics.reset()          // before the redirect\nlocation.href = '/login'"

/* ---- Identity ---- */
FINDING(ID_1, "ID-1", PASS, WARNING, 200000, 500000, 5, 20, "Sign-ups without a history",
    "sign-ups", "Nobody can tell what brought these people: first page, referrer and campaign are missing.",
    "A funnel from a first page to {event} counts {people:people|person} fewer than it would.")
MEND(ID_1, "browser", "analytics.page()            // on every page, before analytics.identify(user.id)")
FINDING(ID_1A, "ID-1a", PASS, WARNING, 200000, 500000, 5, 20, "Sign-ups sent by a server without the visitor's anonymous id",
    "sign-ups", "The visitor's pages stay with an anonymous id that nobody claims, and the sign-up has no history.",
    "A funnel from a first page to {event} counts {people:people|person} fewer than it would.")
MEND(ID_1A, "node", MEND_COOKIE_NODE)
MEND(ID_1A, "python", MEND_COOKIE_PYTHON)
DATA_MEND(ID_1A, "an alias of the visitor's anonymous id to the user joins the two, where you still know it: "
    "analytics.alias(userId, anonymousId)")
FINDING(ID_1B, "ID-1b", PASS, WARNING, 200000, 500000, 5, 20, "Sign-ups whose anonymous id began on the way",
    "sign-ups", "The visitor came from a page of the same site under another anonymous id: cookies of two hosts, or a reset on the way.",
    "A funnel from a first page to {event} counts {people:people|person} fewer than it would.")
MEND(ID_1B, "browser", "analytics.load(KEY, { cookie: { domain: 'example.com' } })   // one cookie for all hosts\n"
    "// and analytics.reset() only at log-out")
FINDING(ID_1C, "ID-1c", PASS, WARNING, 200000, 500000, 5, 20, "Sign-ups on a device that somebody else had claimed",
    "sign-ups", "What the device did before belongs to its first user, so the new one has no history.",
    "A funnel from a first page to {event} counts {people:people|person} fewer than it would.")
MEND(ID_1C, "browser", MEND_RESET)
DATA_MEND(ID_1C, "onym unmerge ID MESSAGE-ID takes a wrong claim back; onym links ID shows which")
FINDING(ID_2, "ID-2", PASS, WARNING, 50000, 500000, 10, 20, "Users without a sign-up event",
    "users first seen", "Sign-ups are lost on the way: often the page leaves before the call has left.",
    "{event} counts {people:people|person} fewer than signed up.")
MEND(ID_2, "node", "// after the commit of the new account, on the server\n" MEND_COOKIE_NODE)
MEND(ID_2, "browser", "await analytics.track('Signed Up')   // before the redirect")
FINDING(ID_3, "ID-3", PASS, WARNING, 10000, 0, 1, 1, "People who signed up twice",
    "people who signed up", "The event is sent from two places, or once more with each reload.",
    "Counts of {event} are too high by {count}; people are counted once.")
MEND(ID_3, "node", "analytics.track({ messageId: 'signup-' + user.id, userId: user.id, event: 'Signed Up' })")
FINDING(ID_4, "ID-4", PASS, WARNING, 10000, 50000, 5, 1, "No reset at log-out: one anonymous id, several users",
    "anonymous ids with a user", "What the next visitor of the device does before logging in is counted for the one before.",
    "{people:people|person} share devices; each funnel may count one's steps for the other.")
MEND(ID_4, "browser", MEND_RESET)
DATA_MEND(ID_4, "onym unmerge --between ID ID parts two people whom a device joined; onym why ID ID says whether it did")
FINDING(ID_4A, "ID-4a", PASS, WARNING, 0, 50000, 1, 1, "One device acts for many users: impersonation",
    "anonymous ids with a user", "Staff who look at customers' accounts make events for them.",
    "Activity and retention of {people:people|person} may hold what others did.")
MEND(ID_4A, "browser", "if (!session.isImpersonated) analytics.load(KEY)")
FINDING(ID_5, "ID-5", SYMPTOM, WARNING, 0, 1000, 1, 1, "Placeholders in place of ids",
    "messages", "\"null\", \"undefined\" and their like are one id for everybody who has none.",
    "{count:messages are|message is} nobody's, or all the same person's.")
MEND(ID_5, "browser", "if (user?.id) analytics.identify(user.id)")
DATA_MEND(ID_5, "identity.blocked_values in onym.yaml; onym identity --dry-run FILE shows whom it would part")
FINDING(ID_6, "ID-6", PASS, ERROR, 0, 0, 1, 1, "An id that draws everybody in",
    "ids", "An organisation's id, a bot or a constant is sent as if it were a person's.",
    "{count:ids, each of which is|id that is} one person in every number, and many or none in truth.")
MEND(ID_6, "server", "analytics.identify({ userId: user.id })      // not the organisation's\n"
    "analytics.group({ userId: user.id, groupId: org.id })")
DATA_MEND(ID_6, "identity.blocked_values in onym.yaml; onym identity --dry-run FILE shows whom it would part")
FINDING(ID_6A, "ID-6a", PASS, WARNING, 800000, 0, 160, 200, "A new anonymous id with each message of a server",
    "anonymous ids of the source", "Each message is a new visitor.",
    "Visitors are too many by up to {count}.")
MEND(ID_6A, "server", "// a user id alone, or the anonymous id of the visitor's cookie\nanalytics.track({ userId: user.id, event })")
FINDING(ID_7, "ID-7", SYMPTOM, WARNING, 10000, 0, 1, 1, "E-mail addresses as user ids",
    "user ids", "Who changes the address becomes somebody new, and every destination gets it as an id.",
    "{count:people|person} will be two with another address.")
MEND(ID_7, "browser", "analytics.identify(user.id, { email: user.email })")
FINDING(ID_8, "ID-8", SYMPTOM, WARNING, 10000, 0, 20, 1, "User ids of two shapes",
    "user ids", "Two systems name the same people differently, so each of them is two.",
    "Up to {count:people are|person is} counted twice.")
MEND(ID_8, "server", "// the same id in all sources: that of the accounts' table")
FINDING(ID_9, "ID-9", PASS, WARNING, 5000, 0, 10, 1, "One e-mail address, two users",
    "e-mail addresses", "The same person has two accounts or two ids.",
    "Up to {people:people are|person is} counted more than once.")
MEND(ID_9, "node", "analytics.alias({ previousId: oldUser.id, userId: newUser.id })   // once, where it is one person")
DATA_MEND(ID_9, "an alias of the old user id to the new one; nothing is ever merged by an e-mail address alone")
FINDING(ID_10, "ID-10", PASS, INFO, 0, 0, 1, 1, "Alias after identify",
    "aliases", "Mixpanel's original and legacy ways and KISSmetrics expect the alias first; Onym does not mind.",
    "At those destinations {people:people|person} may be two.")
MEND(ID_10, "browser", "analytics.alias(user.id)     // once, at the sign-up\nanalytics.identify(user.id)")
FINDING(ID_11, "ID-11", PASS, WARNING, 0, 0, 1, 1, "An alias joins two who both signed up",
    "aliases of a user to a user", "Two accounts of their own have become one person.",
    "{people:people have|person has} two accounts.")
MEND(ID_11, "server", "// alias only from an id of the same account")
DATA_MEND(ID_11, "onym unmerge ID MESSAGE-ID parts them again")
FINDING(ID_12, "ID-12", PASS, WARNING, 300000, 0, 15, 50, "Known devices without their user",
    "sessions on devices that a user had claimed", "The page does not identify who is signed in.",
    "{count:sessions do|session does} not show what was done signed in.")
MEND(ID_12, "browser", "if (user) analytics.identify(user.id)   // on load of every page for who is signed in")
FINDING(ID_13, "ID-13", PASS, WARNING, 100000, 0, 2, 20, "Anonymous ids change between hosts",
    "users on two hosts of a domain", "Each host keeps its own cookie.", "Visitors are too many by up to {count}.")
MEND(ID_13, "browser", "analytics.load(KEY, { cookie: { domain: 'example.com' } })")
FINDING(ID_14, "ID-14", PASS, WARNING, 50000, 0, 3, 50, "New visitors who come from the own site",
    "new anonymous ids", "A hop between hosts, or a lost cookie, makes a new visitor of an old one.",
    "Visitors are too many by up to {count}, and the site itself stands among the referrers.")
MEND(ID_14, "browser", "analytics.load(KEY, { cookie: { domain: 'example.com' } })")
FINDING(ID_15, "ID-15", PASS, INFO, 500000, 0, 10, 20, "The same identify again and again",
    "sessions with an identify", "Nothing is said that was not known; destinations that count calls charge for them.",
    "{count:sessions|session} with the same call five times or more.")
MEND(ID_15, "browser", "// once after the log-in, and when a trait has changed\nanalytics.identify(user.id, changed)")
FINDING(ID_16, "ID-16", PASS, WARNING, 0, 0, 1, 1, "User ids that differ in case or blanks only",
    "user ids", "One person is two.", "Up to {count:people are|person is} counted twice.")
MEND(ID_16, "server", "analytics.identify({ userId: user.id.trim().toLowerCase() })")

/* ---- Lost, late, twice ---- */
FINDING(LO_1, "LO-1", SYMPTOM, WARNING, 1000, 0, 10, 1, "Messages that were rejected",
    "messages received", "They break a rule and count nowhere.", "{count:messages are|message is} missing in every answer.")
FINDING(LO_2, "LO-2", SYMPTOM, WARNING, 0, 0, 10, 1, "An unknown write key",
    "messages of no source", "Messages come under a key that no source has: it was rotated, is of another Onym, or has a slip in it.", "{count:messages are|message is} missing in every answer.")
FINDING(LO_3, "LO-3", PASS, WARNING, 0, 0, 1, 1, "An event that has stopped",
    "days", "It came on most days, and does not any more, while the source still sends others.",
    "Every question about {event} ends on the day on which it stopped.")
MEND(LO_3, "browser", "// look at what was released on the day on which it stopped")
FINDING(LO_4, "LO-4", PASS, WARNING, 500000, 0, 100, 200, "An event that a new version lost",
    "sessions of the version", "The version before sent it in nearly each session; this one does not.",
    "{value} lost {event}: {people:people are|person is} missing in each question about it.")
MEND(LO_4, "browser", "// look at what changed in this version around the call")
FINDING(LO_5, "LO-5", PASS, INFO, 100000, 0, 10, 50, "Sign-ups by the server that no browser accompanies",
    "sign-ups by a server", "Blockers, or a page without the snippet.", "{people:sign-ups have|sign-up has} no pages around.")
MEND(LO_5, "browser", "analytics.load(KEY, { integrations: { 'Segment.io': { apiHost: 'events.example.com/own/v1' } } })")
FINDING(LO_6, "LO-6", PASS, WARNING, 20000, 100000, 10, 50, "A set-up whose calls are lost on the way",
    "visits of the set-up", "The page made these calls and stored them, and they never came: a blocker, a proxy that answers in Onym's "
    "place, storage that is emptied, or a browser that was closed for good.",
    "Of {field}, {value} never came; each number of these pages is too low.")
MEND(LO_6, "browser", "// onym check-site URL on one of these pages shows calls that fail. Against blockers: a script and a path of your own\n"
    "analytics.load(KEY, { integrations: { 'Segment.io': { apiHost: 'events.example.com/own/v1' } } })")
MEND(LO_6, "browser", "await analytics.track('Signed Up')   // before the page leaves for another domain")
FINDING(TW_1, "TW-1", PASS, WARNING, 50000, 0, 20, 20, "Sent twice",
    "messages of that name", "The same call is made twice within a second, under two message ids.",
    "Counts of {event} are too high by {count}.")
MEND(TW_1, "browser", "useEffect(() => { analytics.page() }, [pathname])   // once a path; React's StrictMode runs effects twice")
FINDING(TW_2, "TW-2", PASS, WARNING, 200000, 0, 10, 50, "Sent by browser and server",
    "messages of that name", "Both send it, under two message ids.", "Counts of {event} are too high by {count}.")
MEND(TW_2, "node", "analytics.track({ messageId: 'order-' + order.id, userId, event })   // the same id in both, or one of them alone")
FINDING(TW_3, "TW-3", SYMPTOM, INFO, 10000, 0, 1, 1, "Messages of a server without a message id",
    "messages of the source", "What is sent again after a failure counts twice.", "{count:messages|message} may be counted twice.")
MEND(TW_3, "server", "messageId: 'order-' + order.id")
FINDING(TW_4, "TW-4", SYMPTOM, INFO, 200000, 0, 1, 1, "The same messages again and again",
    "messages", "They count once; sending them costs you.", "No number is wrong; {count:messages were|message was} sent for nothing.")
FINDING(TW_5, "TW-5", PASS, WARNING, 10000, 0, 5, 20, "Two libraries on one page",
    "anonymous ids of browsers", "Two snippets, or an old and a new version, are both at work.",
    "What both of them send counts twice, on {count:devices|device}.")
MEND(TW_5, "browser", "// take one of the two snippets out: onym check-site URL shows both")

/* ---- Faults of pages that the browser library reports ---- */
FINDING(BR_1, "BR-1", PASS, WARNING, 1000, 0, 5, 1, "A cookie that the page cannot change stands before an id",
    "visitors with a page", "A backend, another library or an older option keeps it under another domain or path, or as HttpOnly. "
    "The library goes by localStorage there; your server and other tools read the old visitor out of it.",
    "On {count:browsers|browser} a server that reads the cookie takes the visitor for somebody else; other hosts of the site may, too.")
MEND(BR_1, "browser", "// onym check-site URL shows who sets it, and under which domain and path")
MEND(BR_1, "node", "// once for each domain and path under which it was ever set\n"
    "res.clearCookie('ajs_user_id', { path: '/', domain: 'www.example.com' })")
FINDING(BR_2, "BR-2", PASS, WARNING, 10000, 0, 5, 1, "The browser's storage for the site is full",
    "visitors with a page", "Calls that have not left yet, and ids that have no cookie, live as long as the page.",
    "What {count:browsers had|browser had} not sent when the page was left is lost.")
MEND(BR_2, "browser", "// see what fills it, and take out what is not needed\n"
    "Object.entries(localStorage).map(([k, v]) => [k, v.length]).sort((a, b) => b[1] - a[1]).slice(0, 10)")
FINDING(BR_3, "BR-3", PASS, WARNING, 1000, 0, 5, 1, "Calls that were dropped because too many waited",
    "visitors with a page", "Over 3,000 calls waited in one browser: a page calls in a loop, or Onym could not be reached from there for long.",
    "The oldest page views of {count:browsers|browser} are lost; counts of pages are too low.")
MEND(BR_3, "browser", "// look for a call in a loop, in a scroll or a timer; and whether something on the way answers in Onym's place:\n"
    "// onym check-site URL")
FINDING(BR_4, "BR-4", PASS, WARNING, 10000, 0, 5, 1, "The second file of the library does not come",
    "visitors with a page", "more.min.js is blocked, missing or slower than 5 seconds. Plugins, middleware and changes of route did not work there from the start.",
    "What plugins and middleware should add or leave out is not so for calls of {count:browsers|browser}.")
MEND(BR_4, "browser", "// let it come from where the first file comes: the proxy's paths, script-src of the Content Security Policy;\n"
    "// or load analytics.plus.min.js, which has all in one")

/* ---- Clocks ---- */
FINDING(CL_1, "CL-1", SYMPTOM, INFO, 20000, 0, 1, 1, "Clocks that are wrong", "messages with a sentAt",
    "Their times are moved to Onym's clock by sentAt.", "{count:messages depend|message depends} on the correction.")
FINDING(CL_2, "CL-2", SYMPTOM, ERROR, 800000, 0, 20, 20, "Local time sent as UTC", "messages with a sentAt",
    "Each event is off by whole hours.", "{count:events lie|event lies} at the wrong time of day.")
MEND(CL_2, "python", "datetime.now(timezone.utc)      # not datetime.now()")
FINDING(CL_3, "CL-3", SYMPTOM, WARNING, 1000, 0, 1, 1, "Times that cannot be read", "messages",
    "The time of arrival stands in their place.", "{count:events lie|event lies} at the time of their arrival.")
MEND(CL_3, "node", "timestamp: new Date().toISOString()")
FINDING(CL_4, "CL-4", SYMPTOM, WARNING, 0, 0, 10, 1, "Old events sent as new", "messages with a sentAt",
    "A queue writes both times when it puts the event away.", "{count:events|event} may be moved in time.")
FINDING(CL_5, "CL-5", SYMPTOM, INFO, 50000, 0, 1, 1, "Late events", "messages",
    "They arrive a day or more after they happened.", "Yesterday's numbers still change by {count:events|event}.")

/* ---- Environment ---- */
FINDING(EN_1, "EN-1", SYMPTOM, WARNING, 10000, 0, 50, 1, "Traffic of developers", "messages with a page",
    "Local and staging hosts send to the production source.", "{count:messages are|message is} your own.")
MEND(EN_1, "browser", "if (location.hostname === 'www.example.com') analytics.load(KEY)")
FINDING(EN_2, "EN-2", SYMPTOM, INFO, 10000, 0, 1, 1, "Bots", "messages",
    "Programs visit the site.", "{count:events are|event is} no person's.")

/* ---- Names, fields ---- */
FINDING(NM_1, "NM-1", SYMPTOM, WARNING, 0, 0, 1, 1, "Two spellings of one event", "messages of both names",
    "A question about one of them misses the other.", "{event} counts {count:events|event} too few.")
DATA_MEND(NM_1, "ask for both names: onym trends, or a step that is a list of events")
FINDING(NM_2, "NM-2", SYMPTOM, WARNING, 0, 0, 1, 1, "Values in names of events", "messages",
    "Each value makes an event of its own.", "{count:messages lie|message lies} under names that hold a value.")
MEND(NM_2, "browser", "analytics.track('Order Viewed', { order_id: order.id })")
FINDING(NM_3, "NM-3", SYMPTOM, WARNING, 0, 0, 1, 1, "Blanks, control characters or look-alike letters in names", "messages",
    "Nobody can type the name.", "{count:events lie|event lies} under a name that looks like another.")
FINDING(NM_4, "NM-4", SYMPTOM, INFO, 0, 0, 1, 1, "Names in another case than the rest", "names", "Habit.", "No number is wrong.")
FINDING(NM_5, "NM-5", SYMPTOM, INFO, 0, 0, 1, 1, "Nearly a name of Segment's specification", "messages of the name",
    "Destinations treat the specified name specially, not this one.", "{count:events are|event is} not taken for what they are.")
FINDING(NM_6, "NM-6", SYMPTOM, INFO, 0, 0, 1, 1, "Page views without name and path", "page views",
    "No step of a funnel can name them.", "{count:page views|page view} can be no step.")
FINDING(NM_7, "NM-7", SYMPTOM, INFO, 0, 0, 1, 1, "Names of tests", "messages", "Left-overs.", "{count:events are|event is} tests.")
FINDING(NM_8, "NM-8", SYMPTOM, INFO, 0, 0, 1, 1, "Names that came on one day only", "messages", "Left-overs.", "No number is wrong.")
FINDING(PR_1, "PR-1", SYMPTOM, WARNING, 10000, 0, 10, 1, "A field with two types", "values of the field",
    "A filter or a sum takes one of them only.", "Questions by {field} of {event} miss {count:events|event}.")
MEND(PR_1, "browser", "analytics.track(event, { revenue: Number(revenue) })")
FINDING(PR_2, "PR-2", SYMPTOM, INFO, 0, 0, 1, 1, "One field, different types in two events", "values of both",
    "A warehouse has one type a column.", "A column of {field} cannot hold both.")
FINDING(PR_3, "PR-3", SYMPTOM, WARNING, 0, 0, 1, 1, "A field that has vanished", "messages of the version",
    "A new version does not send it.", "Questions by {field} of {event} miss {count:events|event}.")
FINDING(PR_4, "PR-4", SYMPTOM, WARNING, 10000, 0, 1, 1, "Junk as a value", "values of the field",
    "\"undefined\", \"null\", \"NaN\" and \"[object Object]\" are texts like any other.",
    "A breakdown by {field} of {event} has {count:events|event} under junk.")
FINDING(PR_5, "PR-5", SYMPTOM, WARNING, 0, 0, 1, 1, "Too many fields", "fields", "Keys hold values.",
    "{count:fields|field} cannot be asked for.")
FINDING(PR_6, "PR-6", SYMPTOM, ERROR, 0, 0, 1, 1, "A number that jumps by a power of ten", "numbers of both",
    "Cents and dollars.", "Sums of {field} are wrong.")
FINDING(PR_7, "PR-7", SYMPTOM, WARNING, 0, 0, 1, 1, "Money that is none", "messages of the event",
    "A text, a negative amount or no currency.", "{count:orders are|order is} missing in sums.")
FINDING(PR_8, "PR-8", SYMPTOM, INFO, 10000, 0, 10, 20, "Values that are too long for the index", "messages of the event",
    "Texts over 508 bytes are kept and delivered, but no question can ask for them.", "{count:values|value} cannot be asked for.")

/* ---- Personal data ---- */
FINDING(PD_1, "PD-1", SYMPTOM, ERROR, 0, 0, 1, 1, "Secrets in events", "messages",
    "Passwords, tokens or card numbers lie in the journal, and go to destinations.", "No number is wrong; {count:messages hold|message holds} a secret.")
DATA_MEND(PD_1, "a deny rule for the field keeps it from destinations; onym delete erases who is concerned")
FINDING(PD_2, "PD-2", SYMPTOM, ERROR, 0, 0, 1, 1, "Personal data in addresses of pages", "messages",
    "E-mail addresses and tokens in URLs go to every destination.", "No number is wrong; {count:messages hold|message holds} them.")
FINDING(PD_3, "PD-3", SYMPTOM, WARNING, 0, 0, 1, 1, "Personal data in properties", "messages",
    "Traits are the proper place.", "No number is wrong; {count:messages hold|message holds} them.")
FINDING(PD_4, "PD-4", LATER, ERROR, 0, 0, 1, 1, "Personal data that flows to a destination", "messages",
    "No rule denies or hashes it.", "No number is wrong.")
FINDING(PD_5, "PD-5", SYMPTOM, WARNING, 0, 0, 1, 1, "Personal data in free text", "messages",
    "Long texts hold e-mail addresses.", "No number is wrong; {count:messages hold|message holds} them.")

/* ---- The tracking plan: must stay last, in the order of plan/plan.h ---- */
FINDING(PLAN_UNPLANNED_EVENT, "unplanned_event", PASS, WARNING, 0, 0, 1, 1, "An event that the tracking plan does not have",
    "messages of that name", "Nobody has said what it means; often it is a slip of a planned name.",
    "A question about the planned event misses {count:messages|message} of {people:people|person}, where it is that one.")
MEND(PLAN_UNPLANNED_EVENT, "browser", "// the planned name; or the plan gets this one. onym plan types writes the names for your editor")
FINDING(PLAN_WRONG_SOURCE, "wrong_source", PASS, WARNING, 0, 0, 1, 1, "An event from a source that the tracking plan does not allow",
    "messages of that name", "It may be sent twice, by two sources.", "Counts of {event} hold {count:messages|message} of another source.")
MEND(PLAN_WRONG_SOURCE, "server", "// send it from the planned source; or add this one to its sources in plan.yaml")
FINDING(PLAN_MISSING_PROPERTY, "missing_property", PASS, WARNING, 0, 0, 1, 1, "A property that the tracking plan requires is missing",
    "messages of that name", "The release does not send it, or sends nothing there.",
    "Questions by {field} of {event} miss {count:events|event} of {people:people|person}.")
MEND(PLAN_MISSING_PROPERTY, "browser", "// onym plan types makes the editor ask for it")
FINDING(PLAN_WRONG_TYPE, "wrong_type", PASS, WARNING, 0, 0, 1, 1, "A property of another type than the tracking plan says",
    "messages of that name", "A filter or a sum does not take it.",
    "Questions by {field} of {event} miss {count:events|event} of {people:people|person}.")
MEND(PLAN_WRONG_TYPE, "browser", "analytics.track(event, { revenue: Number(revenue) })      // not the text of a form")
FINDING(PLAN_UNPLANNED_PROPERTY, "unplanned_property", PASS, INFO, 0, 0, 1, 1, "A property that the tracking plan does not have",
    "messages of that name", "Nobody has said what it means; often it is a slip of a planned name.",
    "{count:events of|event of} {event} may have their value under another name.")
FINDING(PLAN_VALUE_NOT_ALLOWED, "value_not_allowed", PASS, WARNING, 0, 0, 1, 1, "A value that the tracking plan does not allow",
    "messages of that name", "It is outside of what was agreed.", "A breakdown of {event} by {field} has {count:events|event} under values that nobody expects.")
FINDING(PLAN_DEPRECATED_EVENT, "deprecated_event", PASS, INFO, 0, 0, 1, 1, "An event that the tracking plan has given up",
    "messages of that name", "An old release still sends it.", "No number is wrong; {count:messages|message} of {people:people|person}.")
FINDING(PLAN_NAME_PATTERN, "name_pattern", PASS, INFO, 0, 0, 1, 1, "A name that is written otherwise than the tracking plan says",
    "messages of that name", "Habit.", "No number is wrong.")

#undef FINDING
#undef MEND
#undef DATA_MEND
