// What is not as it should be in this page, in short words: it goes out with every call, in
// context.onym.health, so that the server can tell which pages of a site have the trouble. There are no more of them
// than places where an id is kept, and three.
export const troubles = new Set<string>()

export const health = (): { onym: { health: string[] } } | 0 =>
  troubles.size as 0 && { onym: { health: [...troubles] } }
