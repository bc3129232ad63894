// Gives the variables of a minified script the names with which it compresses best. Which letter a variable has is of no
// account to the browser, but it is to gzip: `e=>e.key` ten times costs less than with ten letters.
//
// First from the inside out, so that every small function calls its first parameter the same, whatever stands around
// it. Then variable after variable takes the letter, or trades with another, that leaves the fewest different pieces of a
// few characters in the text: what a compressor has not seen before. The same script always gets the same names.
import { parse } from 'acorn'

/** Ordered as they serve best. */
const LETTERS = [...'terldoinsamvuhfbwypcg$MS_TFAYjPkXCZRJzEKHGVQqNUDxOILBW']
const PAIRS = LETTERS.flatMap((last) => LETTERS.slice(0, 12).map((first) => first + last))
const NAMES = [...LETTERS, ...PAIRS.filter((name) => !/^(as|do|if|in|is|of)$/.test(name))]
/** In a scope with more variables than this, those that are used most are named first. */
const SMALL = 8
/** Lengths of pieces. */
const PIECES = [4, 5, 6]
/** More of them, and more letters, would gain a few bytes and cost seconds. */
const ROUNDS = 4
const TRIED = LETTERS.slice(0, 20)

/** Every variable with where its name stands, and whose names it must not have. */
const readVariables = (code) => {
  const variables = []
  const scopes = []
  const references = []
  const openScope = (parent, isWhole) => ({ parent, isWhole, known: new Map(), own: [] })
  const declare = (pattern, scope) => {
    if (pattern?.type == 'Identifier') {
      if (scope.known.has(pattern.name)) return
      const variable = { name: pattern.name, scope, at: [], reach: new Set([scope]), others: [] }
      scope.known.set(pattern.name, variable)
      scope.own.push(variable)
      variables.push(variable)
    } else
      for (const part of pattern?.elements ?? pattern?.properties ?? [])
        declare(part?.type == 'Property' ? part.value : part, scope)
    if (pattern?.left ?? pattern?.argument) declare(pattern.left ?? pattern.argument, scope)
  }
  const declareAll = (statements, scope) => {
    for (const { type, kind, declarations, id } of statements) {
      // A var is the whole function's, wherever it stands.
      let whole = scope
      while (kind == 'var' && !whole.isWhole) whole = whole.parent
      if (type == 'VariableDeclaration') for (const { id } of declarations) declare(id, whole)
      else if (/Declaration/.test(type) && id) {
        if (!scope.isWhole) throw new Error('names.mjs: a function is declared within a block: ' + id.name)
        declare(id, scope)
      }
    }
  }
  const visitAll = (node, scope) => {
    for (const [key, value] of Object.entries(node)) {
      if (key != 'type') for (const part of [value].flat()) if (part?.type) visit(part, scope)
    }
  }
  const visit = (node, scope) => {
    const { type } = node
    if (type == 'Identifier') return void references.push([node, scope])
    if (type == 'MemberExpression' && !node.computed) return visit(node.object, scope)
    if (type == 'Property' && !node.computed) {
      if (node.shorthand) throw new Error('names.mjs: {name} for {name: name}: terser is not to shorten these')
      return visit(node.value, scope)
    }
    if (/^(Class|Labeled|Break|Continue)/.test(type) && (node.label || /^Class/.test(type)))
      throw new Error('names.mjs: does not know ' + type)
    if (/Function|^Block|^For|^Catch/.test(type)) {
      const inner = openScope(scope, /Function/.test(type))
      for (const pattern of [...(node.params ?? []), node.param]) declare(pattern, inner)
      if (type == 'FunctionExpression') declare(node.id, inner)
      const body = type == 'BlockStatement' ? node.body : node.body?.body
      declareAll([node.init, node.left].filter((part) => part?.type == 'VariableDeclaration'), inner)
      if (Array.isArray(body) && !/^For/.test(type)) declareAll(body, inner)
      // A function's body is the scope of its parameters.
      for (const [key, value] of Object.entries(node)) {
        const isOwn = key == 'body' && /Function|^Catch/.test(type) && value.type == 'BlockStatement'
        for (const part of isOwn ? value.body : [value].flat())
          if (key != 'type' && part?.type) visit(part, key == 'id' && type == 'FunctionDeclaration' ? scope : inner)
      }
      return void scopes.push(inner)
    }
    // Also where it stands alone, behind an if.
    if (type == 'VariableDeclaration') declareAll([node], scope)
    visitAll(node, scope)
  }
  const root = openScope(undefined, true)
  const { body } = parse(code, { ecmaVersion: 2022, sourceType: 'module' })
  declareAll(body, root)
  body.forEach((statement) => visit(statement, root))
  scopes.push(root)

  const globals = new Set()
  for (const [{ name, start }, from] of references) {
    let scope = from
    while (scope && !scope.known.has(name)) scope = scope.parent
    if (!scope) globals.add(name)
    else {
      const variable = scope.known.get(name)
      variable.at.push(start)
      for (let each = from; each != scope; each = each.parent) variable.reach.add(each)
    }
  }
  for (const one of variables)
    one.others = variables.filter((other) => other != one && (one.reach.has(other.scope) || other.reach.has(one.scope)))
  return { variables, scopes, globals }
}

/** How many different pieces a text has, kept while single characters change. */
const countPieces = (text, lengths) => {
  const counts = lengths.map(() => new Map())
  let different = 0
  /** `starts`: for each length, where pieces begin. */
  const change = (starts, by) => {
    lengths.forEach((length, which) => {
      const count = counts[which]
      for (const at of starts[which]) {
        let piece = 0
        for (let offset = 0; offset < length; offset++) piece = piece * 128 + text[at + offset]
        const left = (count.get(piece) ?? 0) + by
        count.set(piece, left)
        if (by > 0 ? left == 1 : !left) different += by
      }
    })
  }
  const around = (places) =>
    lengths.map((length) => {
      const starts = new Set()
      for (const at of places)
        for (let start = Math.max(0, at - length + 1); start <= Math.min(at, text.length - length); start++) starts.add(start)
      return [...starts]
    })
  const known = new Map()
  const aroundOnce = (places) => known.get(places) ?? known.set(places, around(places)).get(places)
  change(lengths.map((length) => Array(text.length - length + 1).keys()), 1)
  return {
    /** Sets the letter at each of the places; gives how many more pieces there are now. */
    set(letters) {
      const before = different
      const starts = letters[1] ? around(letters.flatMap(([places]) => places)) : aroundOnce(letters[0][0])
      change(starts, -1)
      for (const [places, letter] of letters) for (const at of places) text[at] = letter.charCodeAt(0)
      change(starts, 1)
      return different - before
    },
  }
}

/** The script with its variables, in the order of readVariables, called by these names. Undefined where they do not fit. */
export const giveNames = (code, names) => {
  const { variables, globals } = readVariables(code)
  if (names.length != variables.length) return undefined
  variables.forEach((variable, at) => {
    variable.old = variable.name
    variable.name = names[at]
  })
  const fits = ({ name, others }) => /^[\w$]+$/.test(name) && !globals.has(name) && !others.some((other) => other.name == name)
  if (!variables.every(fits)) return undefined
  const places = variables.flatMap((variable) => variable.at.map((at) => [at, variable])).sort(([one], [other]) => one - other)
  let named = ''
  let end = 0
  for (const [at, { name, old }] of places) {
    named += code.slice(end, at) + name
    end = at + old.length
  }
  return named + code.slice(end)
}

export const shortenNames = (code, ...how) => giveNames(code, findNames(code, ...how))

/**
 * A name for each variable. With `sizeOf`, which gives the size that counts, it takes three times as long for one in a
 * hundred bytes.
 */
export const findNames = (code, sizeOf) => {
  const { variables, scopes, globals } = readVariables(code)
  const isFree = (name, variable, but) =>
    !globals.has(name) && !variable.others.some((other) => other != but && other.name == name)

  for (const variable of variables) variable.old = variable.name
  for (const variable of variables) variable.name = ''
  for (const { own } of scopes) {
    const order = own.length > SMALL ? [...own].sort((one, other) => other.at.length - one.at.length) : own
    for (const variable of order) variable.name = NAMES.find((name) => isFree(name, variable))
  }

  const places = variables.flatMap((variable) => variable.at.map((at) => [at, variable])).sort(([one], [other]) => one - other)
  let named = ''
  let end = 0
  for (const [at, variable] of places) {
    named += code.slice(end, at)
    variable.now = [...(variable.now ?? []), named.length]
    named += variable.name
    end = at + variable.old.length
  }
  named += code.slice(end)

  const result = named.split('')
  const text = Uint8Array.from(result, (sign) => Math.min(sign.charCodeAt(0), 127))
  const pieces = countPieces(text, PIECES)
  const isLetter = ({ name, now }) => name.length == 1 && now
  const letters = variables.filter(isLetter)
  /** Each takes whatever letter is better; `change` says by how much it is worse, and takes it back. */
  const improve = (change) => {
    let hasChanged = false
    for (const one of letters) {
      for (const letter of TRIED) {
        const { name } = one
        if (letter == name || globals.has(letter)) continue
        const inTheWay = one.others.filter((other) => other.name == letter)
        const [other] = inTheWay
        if (inTheWay.length > 1 || (other && !(isLetter(other) && isFree(name, other, one)))) continue
        const tried = [[one.now, letter], ...(other ? [[other.now, name]] : [])]
        if (change(tried) < 0) {
          one.name = letter
          if (other) other.name = name
          hasChanged = true
        } else change([[one.now, name], ...(other ? [[other.now, letter]] : [])], true)
      }
    }
    return hasChanged
  }
  for (let round = 0; round < ROUNDS && improve(pieces.set); round++);
  for (const { name, now } of letters) for (const at of now) result[at] = name
  if (sizeOf) {
    let best = sizeOf(result.join(''))
    const measure = (letters, isBack) => {
      for (const [places, letter] of letters) for (const at of places) result[at] = letter
      pieces.set(letters)
      if (isBack) return 1
      const worse_by = sizeOf(result.join('')) - best
      if (worse_by < 0) best += worse_by
      return worse_by
    }
    for (let round = 0; round < ROUNDS && improve(measure); round++);
  }
  return variables.map(({ name }) => name)
}
