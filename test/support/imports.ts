// Reads the tree's imports from its syntax trees, and compares them with a table of allowed imports.
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'

export interface Import {
  file: string
  line: number
  /** A file of the tree, `node:…`, or `npm:` and a package's name. */
  target: string
  /** Removed with the types: `import type`, `export type`, `import('…').T` in a type, a reference to types. */
  typeOnly: boolean
  /** Evaluated before the file that imports it, unlike `import()` and a worker's URL. */
  eager: boolean
}

/** Sources by their path from the root, with `/`. */
export type Tree = Map<string, string>

export interface Row {
  /** The start of the paths that the row is about; the longest that matches decides. */
  files: string
  /** The starts of what they may import; `*` is anything. */
  may: string[]
  /** What they may also import as types only. */
  types?: string[]
}

const SKIPPED = new Set(['node_modules', 'dist'])

/** Every TypeScript and JavaScript source under `root`, except what is installed, built or hidden. */
export function readTree(root: string, under = '', tree: Tree = new Map()): Tree {
  for (const entry of readdirSync(posix.join(root, under), { withFileTypes: true })) {
    const path = posix.join(under, entry.name)
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) continue
    if (entry.isDirectory()) readTree(root, path, tree)
    else if (/\.(ts|tsx|mts|js|mjs)$/.test(path)) tree.set(path, readFileSync(posix.join(root, path), 'utf8'))
  }
  return tree
}

export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}

export function lineOf(node: ts.Node): number {
  const source = node.getSourceFile()
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
}

export function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  const source = parse(file, text)
  const add = (node: ts.Node | undefined, kind: { typeOnly?: boolean; eager?: boolean } = {}): void => {
    if (node === undefined || !ts.isStringLiteralLike(node)) return
    found.push({ file, line: lineOf(node), target: resolve(file, node.text), typeOnly: false, eager: true, ...kind })
  }
  const visit = (node: ts.Node): void => {
    // An import with each name marked `type` stays in the output as a bare import: it is not a type-only import.
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, { typeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword })
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, { typeOnly: node.isTypeOnly })
    else if (ts.isExternalModuleReference(node)) add(node.expression)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, { typeOnly: true })
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], { eager: false })
    else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'require') add(node.arguments[0])
    else if (isModuleUrl(node)) add(node.arguments?.[0], { eager: false })
    ts.forEachChild(node, visit)
  }
  visit(source)
  for (const { fileName, pos } of source.typeReferenceDirectives) {
    const line = source.getLineAndCharacterOfPosition(pos).line + 1
    found.push({ file, line, target: `npm:@types/${fileName}`, typeOnly: true, eager: false })
  }
  return found
}

/** `new URL('./job.ts', import.meta.url)`: how a worker's file is named. */
function isModuleUrl(node: ts.Node): node is ts.NewExpression {
  if (!ts.isNewExpression(node) || node.expression.getText() !== 'URL') return false
  const [path, base] = node.arguments ?? []
  return path !== undefined && ts.isStringLiteralLike(path) && /\.m?[jt]s$/.test(path.text) && base?.getText() === 'import.meta.url'
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  if (specifier.startsWith('node:')) return specifier
  if (specifier === 'loopscope') return 'src/index.ts'
  if (specifier.startsWith('loopscope/')) return `src/${specifier.slice('loopscope/'.length)}.ts`
  return `npm:${specifier}`
}

/** Every import that the table does not allow, as `file:line imports target: rule`. */
export function forbidden(tree: Tree, table: Row[]): string[] {
  return [...tree].flatMap(([file, text]) => {
    const row = table.filter(({ files }) => isUnder(file, files)).sort((a, b) => b.files.length - a.files.length)[0]
    if (row === undefined) return [`${file}: no row of the table is about it: add one, saying what it may import`]
    return importsOf(file, text).flatMap(({ line, target, typeOnly }) => {
      const may = [...row.may, ...(typeOnly ? row.types ?? [] : [])]
      if (may.some((start) => start === '*' || isUnder(target, start))) return []
      const rule = row.may.length === 0 ? 'nothing' : row.may.join(', ')
      return [`${file}:${line} imports ${target}: ${row.files} may import ${rule}`]
    })
  })
}

/** `a/b` is about `a/b.ts` and `a/b/c.ts`, not `a/bc.ts`; `node:` and `npm:` are about what they begin. */
function isUnder(path: string, start: string): boolean {
  if (start.endsWith(':') || path === start) return path.startsWith(start)
  return path.startsWith(`${start}/`) || path.startsWith(`${start}.`)
}

/** Each file's imports of the tree's own files, of those that `counts` says. */
function edgesOf(tree: Tree, counts: (one: Import) => boolean): Map<string, Import[]> {
  return new Map([...tree].map(([file, text]) => [file, importsOf(file, text).filter((one) => tree.has(one.target) && counts(one))]))
}

/** Rings of files that need each other to be loaded first, `a.ts:1 -> b.ts:4 -> a.ts`. */
export function cycles(tree: Tree): string[] {
  const edges = edgesOf(tree, ({ typeOnly, eager }) => eager && !typeOnly)
  const rings: string[] = []
  const inRing = new Set<string>()
  for (const file of tree.keys()) {
    if (inRing.has(file)) continue
    const ring = wayBack(file, edges)
    if (ring === null) continue
    for (const step of ring) inRing.add(step.file)
    rings.push(`${ring.map(({ file, line }) => `${file}:${line}`).join(' -> ')} -> ${file}`)
  }
  return rings
}

/** The sets of files that need each other to be compiled: each file of a set reaches all others by its imports, of types or of values. */
export function knots(tree: Tree): string[][] {
  const edges = edgesOf(tree, () => true)
  const reached = new Map<string, Set<string>>()
  for (const file of tree.keys()) {
    const seen = new Set((edges.get(file) ?? []).map(({ target }) => target))
    for (const next of seen) for (const { target } of edges.get(next) ?? []) seen.add(target)
    reached.set(file, seen)
  }
  const found = new Map<string, string[]>()
  for (const [file, seen] of reached) {
    if (!seen.has(file)) continue
    const knot = [...seen].filter((other) => reached.get(other)?.has(file) === true).sort()
    found.set(knot.join(' '), knot)
  }
  return [...found.values()]
}

/** The shortest way along imports from a file back to itself. */
function wayBack(start: string, edges: Map<string, Import[]>): Import[] | null {
  const ways: Import[][] = [[]]
  const seen = new Set<string>()
  for (const way of ways) {
    for (const step of edges.get(way.at(-1)?.target ?? start) ?? []) {
      if (step.target === start) return [...way, step]
      if (seen.has(step.target)) continue
      seen.add(step.target)
      ways.push([...way, step])
    }
  }
  return null
}

/** Every file that loading `entry` loads, `entry` first. */
export function reachable(tree: Tree, entry: string): string[] {
  const files = new Set([entry])
  for (const file of files) {
    for (const { target, typeOnly } of importsOf(file, tree.get(file) ?? '')) {
      if (!typeOnly && tree.has(target)) files.add(target)
    }
  }
  return [...files]
}

const NODE_ONLY = new Set(['process', 'Buffer', 'setImmediate', 'clearImmediate', 'require', 'global', '__dirname', '__filename', 'NodeJS'])

/** Every use of a global that only Node has, as `file:line uses name`. A name that the file declares itself does not count. */
export function nodeGlobals(file: string, text: string): string[] {
  const uses: { name: string; line: number }[] = []
  const own = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && NODE_ONLY.has(node.text)) {
      if (isDeclared(node)) own.add(node.text)
      else if (!isMemberName(node)) uses.push({ name: node.text, line: lineOf(node) })
    }
    const member = memberOfGlobalThis(node)
    if (member !== null && NODE_ONLY.has(member)) uses.push({ name: `globalThis.${member}`, line: lineOf(node) })
    ts.forEachChild(node, visit)
  }
  visit(parse(file, text))
  return uses.filter(({ name }) => !own.has(name)).map(({ name, line }) => `${file}:${line} uses ${name}`)
}

function isDeclared(name: ts.Identifier): boolean {
  const { parent } = name
  if (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent)) return parent.name === name
  return ts.isFunctionDeclaration(parent) || ts.isImportSpecifier(parent) || ts.isImportClause(parent)
}

/** The `process` of `job.process`, `{ process: 1 }` and `process(): void` in a class. */
function isMemberName(name: ts.Identifier): boolean {
  const { parent } = name
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) {
    return (ts.isPropertyAccessExpression(parent) ? parent.name : parent.right) === name
  }
  if (ts.isShorthandPropertyAssignment(parent)) return false
  return (ts.isClassElement(parent) || ts.isTypeElement(parent) || ts.isObjectLiteralElement(parent)) && parent.name === name
}

function memberOfGlobalThis(node: ts.Node): string | null {
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return null
  if (node.expression.getText() !== 'globalThis') return null
  if (ts.isPropertyAccessExpression(node)) return node.name.text
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : null
}
