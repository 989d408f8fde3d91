// Positions in the source for loaded files whose source map Node does not keep: built files that name a map in their last
// line, and modules that a loader transpiled in memory.
import { readFileSync, statSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Files whose positions are remembered. */
const MOST_FILES = 500
/** A larger file or map is not read: that would block the observer. */
const MOST_BYTES = 8 * 2 ** 20

/** What is before the parameters of a function: usually a name, after a few keywords. */
const HEADER = /^[^(){}=;,]*$/
const COMMENT = /^\/\/[#@] sourceMappingURL=(\S+)\s*$/gm

export interface Position {
  url: string
  line: number
  column: number
}

interface Known {
  map: SourceMap
  /** What the sources in the map are relative to. */
  base: string
}

export class SourceMaps {
  readonly #known = new Map<string, Known | null>()

  /** Whether only the thread that runs `url` can say where its source map is. */
  needsScript(url: string): boolean {
    return !isJavaScript(url) && /^(\/|file:|[A-Za-z]:\\)/.test(url) && !this.#known.has(url)
  }

  /** Notes the `sourceMapURL` of a loaded script; `''` if it has none. */
  learn(url: string, sourceMapURL: string): void {
    this.#remember(url, sourceMapURL)
  }

  /** The position in the source for a line and column of `url`, both from 1; `null` if it is its own source. */
  find(url: string, line: number, column: number): Position | null {
    const known = this.#known.has(url) ? this.#known.get(url) : this.#remember(url, isJavaScript(url) ? commentIn(url) : '')
    const entry = known?.map.findEntry(line - 1, column - 1)
    if (known == null || entry === undefined || !('originalSource' in entry)) return null
    return { url: new URL(entry.originalSource, known.base).href, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
  }

  /**
   * Whether a function that begins at one position was only just entered at the other: between its beginning and its
   * parameters there are only a few keywords. Positions in the same source.
   */
  isHeader(begin: Position, at: Position): boolean {
    if (begin.line !== at.line || at.column < begin.column) return false
    // The text of Node's own files is not at hand; few of its functions are on one line.
    if (begin.column === at.column || at.url.startsWith('node:')) return true
    const path = pathOf(at.url)
    const text = path === null ? null : read(path)?.split('\n', at.line)[at.line - 1]
    return text != null && HEADER.test(text.slice(begin.column - 1, at.column - 1))
  }

  #remember(url: string, sourceMapURL: string): Known | null {
    if (this.#known.size >= MOST_FILES) this.#known.clear()
    const known = sourceMapURL === '' ? null : load(url, sourceMapURL)
    this.#known.set(url, known)
    return known
  }
}

function isJavaScript(url: string): boolean {
  return /\.[cm]?js(\?|#|$)/.test(url)
}

/** A path or `file:` URL as a path, `null` for anything else. */
export function pathOf(url: string): string | null {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : /^(\/|[A-Za-z]:\\)/.test(url) ? url : null
  } catch {
    return null // a URL of another machine, or with an encoded slash
  }
}

/** The last source map comment of a file; `''` without one. */
function commentIn(url: string): string {
  // An installed file was built elsewhere: its sources are not here.
  const path = url.includes('/node_modules/') ? null : pathOf(url)
  const text = path === null ? null : read(path)
  return text === null ? '' : [...text.matchAll(COMMENT)].at(-1)?.[1] ?? ''
}

function read(path: string): string | null {
  try {
    return statSync(path).size > MOST_BYTES ? null : readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function load(url: string, sourceMapURL: string): Known | null {
  try {
    const path = pathOf(url)
    const script = path === null ? url : pathToFileURL(path).href
    const inline = sourceMapURL.startsWith('data:')
    const base = inline ? script : new URL(sourceMapURL, script).href
    const text = inline ? decode(sourceMapURL) : read(fileURLToPath(base))
    if (text === null || text.length > MOST_BYTES) return null
    const payload = JSON.parse(text) as ConstructorParameters<typeof SourceMap>[0]
    const root = payload.sourceRoot ? new URL(payload.sourceRoot.replace(/\/?$/, '/'), base).href : base
    return { map: new SourceMap(payload), base: root }
  } catch {
    return null // missing or damaged: the loaded file's own positions are better than none
  }
}

function decode(data: string): string {
  const comma = data.indexOf(',')
  const body = data.slice(comma + 1)
  return data.slice(0, comma).endsWith(';base64') ? Buffer.from(body, 'base64').toString() : decodeURIComponent(body)
}
