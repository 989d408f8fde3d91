// Hooks of Node's module loader, for both kinds: on the thread itself, and, on Node 20, on a second thread.
import { existsSync, readFileSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compile, compiledOf } from './build.mjs'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const TYPESCRIPT = /\.ts(?=$|[?#])/
const SHIPPED = /^(src|routes|workers|examples)[/\\]/
/** None of the tree's own folders has these names: tests make such folders, with copies of the tree in them. */
const MADE = /(^|[/\\])(\.tap|node_modules|dist)[/\\]/

const inTree = (url) => relative(ROOT, fileURLToPath(url))

/** An import of src/a.ts loads dist/src/a.js; other TypeScript keeps its address. */
export function resolve(specifier, context, next) {
  if (!TYPESCRIPT.test(specifier) || !/^(\.|\/|file:)/.test(specifier)) return next(specifier, context)
  const url = new URL(specifier, context.parentURL)
  const path = inTree(url)
  const { href } = SHIPPED.test(path) ? pathToFileURL(compiledOf(path.replaceAll(sep, '/'))) : url
  return { url: SHIPPED.test(path) ? `${href}${url.search}` : href, format: 'module', shortCircuit: true }
}

export function load(url, context, next) {
  if (!url.startsWith('file:') || !TYPESCRIPT.test(url)) return next(url, context)
  const path = inTree(url)
  const compiled = path.startsWith('..') || MADE.test(path) ? null : compiledOf(path.replaceAll(sep, '/'))
  const source = compiled !== null && existsSync(compiled) ? readFileSync(compiled, 'utf8') : compile(path, true).text
  return { format: 'module', source, shortCircuit: true }
}
