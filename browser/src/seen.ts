// The document's own members. An element of the page hides the one that has its name: with `<form name="cookie">`,
// document.cookie is that form. What a site has put in a member's place itself (a consent tool that lets no cookie
// through) is no element, and counts.

/** The member of that name; given a text, it is set. */
export const seen = (name: string, text?: string): any => {
  const holder = typeof Reflect.getOwnPropertyDescriptor(document, name)?.value == 'object' ? Document.prototype : document
  return text ? Reflect.set(holder, name, text, document) : Reflect.get(holder, name, document)
}
