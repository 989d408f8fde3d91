// The words that people read: in the docs, on the page, in messages, in comments and in titles of tests. One word for one
// thing, and plain sentences.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { lineOf, parse, readTree } from '../support/imports.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A word that is not used, and what is written in its place. */
const WORDS: [word: RegExp, instead: string][] = [
  [/\b(hold|holds|held|holding|holder)\b/i, 'block, blocked, blocking'],
  [/\bheld up\b/i, 'delayed'],
  [/\bwho (pays|paid|waited for it)\b/i, 'delayed'],
  [/\bghosts?\b|\borphans?\b|\bunheard\b/i, 'detached'],
  [/\b(gives?|gave|giving) (way|back the loop)\b/i, 'yields'],
  [/\bin a circle\b|\bis stuck\b/i, 'deadlock (cycle of awaits)'],
  [/\bstand(s|ing)? in line\b/i, 'waits for'],
  [/\b(follow|follows) the present\b/i, 'live'],
  [/\btakes? along\b/i, 'export'],
  [/\bin words\b/i, 'table'],
  [/\bside by side\b/i, 'compare'],
  [/\bhears?\b|\bheard of\b|\bpictures?\b/i, 'receives, is known; snapshot'],
  [/\b(anew|oftener|heed|whoever|whomever|nobody|somebody|henceforth)\b/i, 'a sentence that says it plainly'],
  [/\bso many\b/i, 'a number'],
  [/\bas good as\b|\b(there|that) is none\b|\bno more\b|\bfor ever\b|\bis told of\b|\bthe own\b/i, 'a sentence that says it plainly'],
]

/** Further words for comments and titles: code is not a person. */
const IN_CODE: typeof WORDS = [
  ...WORDS,
  [/\b(tells?|told|telling)\b/i, 'reports, shows, records'],
  [/\b(stands?|standing|stood)\b/i, 'is, means'],
  [/\b(he|him|his|himself)\b|\bwhom?\b/i, 'the name of the thing'],
  [/\beverybody\b|\banybody\b/i, 'all, any'],
]

/** The exception is about locks, for which asyncio has the same word. */
const LOCKS = /\bholds? (a |the |its )?`?lock`?(?=\W)|\block held\b/gi

function found(text: string, words = WORDS): string[] {
  return words.flatMap(([word, instead]) => {
    const match = word.exec(text)
    return match === null ? [] : [`"${match[0]}" (write: ${instead})`]
  })
}

/** The lines of a page of docs that are prose: no code, no addresses. */
function prose(text: string): string[] {
  let code = false
  return text.split('\n').map((line) => {
    if (/^\s*```/.test(line)) {
      code = !code
      return ''
    }
    return code ? '' : line.replace(/`[^`]*`|\]\([^)]*\)/g, '')
  })
}

/** What a source file says to people: strings and templates of several words, and the text between tags. */
function sentences(file: string, text: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isLiteralTypeNode(node)) return
    if (ts.isStringLiteralLike(node) || ts.isJsxText(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      if (/\p{L}+[,:]? \p{L}/u.test(node.text)) found.push({ line: lineOf(node), text: node.text })
    }
    ts.forEachChild(node, visit)
  }
  visit(parse(file, text))
  return found
}

/** What a source file says to its readers: its comments, without quoted code, and the titles of its tests. */
function remarks(file: string, text: string): { line: number; text: string }[] {
  const source = parse(file, text)
  const comments = new Map<number, number>()
  const found: { line: number; text: string }[] = []
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of [...ts.getLeadingCommentRanges(text, node.pos) ?? [], ...ts.getTrailingCommentRanges(text, node.end) ?? []]) comments.set(pos, end)
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'test') {
      const [title] = node.arguments
      if (title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) found.push({ line: lineOf(title), text: title.getText(source) })
    }
    for (const child of node.getChildren(source)) visit(child)
  }
  visit(source)
  for (const [pos, end] of comments) found.push({ line: source.getLineAndCharacterOfPosition(pos).line + 1, text: text.slice(pos, end) })
  return found.map(({ line, text }) => ({ line, text: text.replace(/\s+/g, ' ').replace(LOCKS, '').replace(/`[^`]*`/g, '') }))
}

t.test('the docs use the agreed words', async (t) => {
  const pages = ['README.md', 'SECURITY.md', 'routes/README.md', 'workers/README.md', ...['docs', 'examples'].flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`))]
  t.same(pages.flatMap((page) => prose(readFileSync(join(ROOT, page), 'utf8')).flatMap((line, at) => found(line).map((word) => `${page}:${at + 1}: ${word}`))), [])
})

t.test('so do the page and the messages', async (t) => {
  const tree = [...readTree(ROOT)].filter(([file]) => /^(src|routes|ui|workers|examples)\/.*\.tsx?$/.test(file))
  t.ok(tree.length > 300, 'the sources were read')
  t.same(tree.flatMap(([file, text]) => sentences(file, text).flatMap(({ line, text }) => found(text).map((word) => `${file}:${line}: ${word} in: ${text.trim().slice(0, 160)}`))), [])
})

t.test('so do comments and titles of tests', async (t) => {
  // The fixtures of the lint and of the types are about their errors.
  const skipped = /^test\/(types|eslint)\//
  const tree = [...readTree(ROOT)].filter(([file]) => !skipped.test(file))
  t.ok(tree.length > 400, 'the sources were read')
  t.same(tree.flatMap(([file, text]) => remarks(file, text).flatMap(({ line, text }) => found(text, IN_CODE).map((word) => `${file}:${line}: ${word} in: ${text.slice(0, 160)}`))), [])
})

t.test('a forbidden word is found, and code is left alone', async (t) => {
  t.same(found('It holds the loop.'), ['"holds" (write: block, blocked, blocking)'])
  t.same(prose('a `hold`\n```\nhold\n```\n[x](hold.md) held').flatMap((line) => found(line)), ['"held" (write: block, blocked, blocking)'])
  t.same(sentences('a.tsx', ["const a = 'held'; const b = `who held $", '{a} up`; const c = <p>is held now</p>'].join('')).map(({ text }) => text), ['who held ', 'is held now'])
  const code = "// It tells `who`.\nconst told = 1 // held\nt.test('a loop that hears', () => {})\n/** With the lock held. */\nconst held = '// who'"
  t.same(remarks('a.ts', code).flatMap(({ line, text }) => found(text, IN_CODE).map((word) => `${line}: ${word.split(' ')[0]}`)).sort(), ['1: "tells"', '2: "held"', '3: "hears"'])
})
