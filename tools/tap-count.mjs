// A tap reporter: passes the TAP stream through and ends it with the plain line "N passed, N failed". It counts every subtest
// of a file (indented once); a file that failed without a failed subtest (it crashed) is one more failure. Skipped tests, at
// any depth, are named above that line, and under CI=true they are failures: a test that no longer runs must not look like one
// that passes. Failures are repeated above those lines, with their diagnostics, so that the end of a long output shows why.
import { Transform } from 'node:stream'

const RESULT = /^((?: {4})*)(not )?ok \d+(.*)$/
const SUBTEST = /^((?: {4})*)# Subtest: (.*)$/
const SKIPPED = /# (?:SKIP|TODO)\b/i
/** How many failures are repeated, and how many lines of each diagnostic. */
const FAILURES_SHOWN = 10
const LINES_SHOWN = 60

export default class TapCount extends Transform {
  #rest = ''
  #passed = 0
  #failed = 0
  #skipped = []
  #failedInFile = 0
  /** @type {string | null} */
  #yamlIndent = null
  /** The names of the subtests around the current line, and for each whether something in it failed. */
  #around = []
  /** Failed tests without a failed subtest: the title, and the lines of the diagnostic. */
  #failures = []
  /** The failure whose diagnostic may follow. */
  /** @type {{ title: string, lines: string[] } | null} */
  #current = null

  _transform(chunk, _encoding, done) {
    const lines = (this.#rest + String(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#read(line)
    done(null, chunk)
  }

  _flush(done) {
    if (this.#rest !== '') this.#read(this.#rest)
    this.#tellFailures()
    const skipped = this.#skipped.length
    for (const title of this.#skipped) this.push(`skipped: ${title}\n`)
    if (skipped > 0 && process.env.CI === 'true') {
      this.push('CI=true: nothing may be skipped\n')
      this.#failed += skipped
      process.exitCode = 1
    }
    if (skipped > 0) this.push(`${skipped} skipped\n`)
    this.push(`\n${this.#passed} passed, ${this.#failed} failed\n`)
    done()
  }

  #tellFailures() {
    for (const { title, lines } of this.#failures.slice(0, FAILURES_SHOWN)) {
      this.push(`\nfailed: ${title}\n${lines.slice(0, LINES_SHOWN).map((line) => `${line}\n`).join('')}`)
      if (lines.length > LINES_SHOWN) this.push(`  (${lines.length - LINES_SHOWN} lines more above)\n`)
    }
    const more = this.#failures.length - FAILURES_SHOWN
    if (more > 0) this.push(`\n${more} more failed, told of above\n`)
  }

  // A diagnostic block may quote anything, even result lines: nothing in it counts.
  #read(line) {
    if (this.#yamlIndent !== null) {
      if (line === `${this.#yamlIndent}...`) this.#yamlIndent = null
      else this.#current?.lines.push(line.slice(this.#yamlIndent.length - 2))
    } else if (/^ +---$/.test(line)) {
      this.#yamlIndent = line.slice(0, -3)
    } else if (line.startsWith('Bail out!')) {
      this.#failures.push({ title: line, lines: [] })
      if (this.#failed === 0) this.#failed++
    } else {
      this.#enter(line)
      this.#count(line)
    }
  }

  #enter(line) {
    const match = SUBTEST.exec(line)
    if (match === null) return
    const depth = match[1].length / 4
    this.#around.length = depth
    this.#around[depth] = { name: match[2], failed: false }
  }

  #keep(depth, title) {
    const inside = this.#around[depth]?.failed === true
    this.#around.length = Math.min(this.#around.length, depth)
    for (const around of this.#around) around.failed = true
    this.#current = inside ? null : { title: [...this.#around.map(({ name }) => name), title].join(' > '), lines: [] }
    if (!inside) this.#failures.push(this.#current)
  }

  #count(line) {
    const match = RESULT.exec(line)
    if (match === null) return
    const [, indent, not, rest] = match
    const title = rest.replace(/^[\s-]+/, '')
    const skipped = SKIPPED.test(rest)
    this.#current = null
    if (not !== undefined && !skipped) this.#keep(indent.length / 4, title)
    if (skipped) {
      this.#skipped.push(title)
    } else if (indent === '') {
      if (not !== undefined && this.#failedInFile === 0) this.#failed++
    } else if (indent.length === 4) {
      if (not === undefined) this.#passed++
      else {
        this.#failed++
        this.#failedInFile++
      }
    }
    if (indent === '') this.#failedInFile = 0
  }
}
