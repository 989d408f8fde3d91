// A tap reporter: passes the TAP stream through and ends it with the plain line "N passed, N failed".
// What it counts: every subtest of a file (indented once); a file that failed with no failed subtest (it crashed)
// is one failure more. What was skipped, at any depth, is named above that line, and under CI=true it is a failure:
// a test that quietly stopped running must not look like one that passes.
import { Transform } from 'node:stream'

const RESULT = /^((?: {4})*)(not )?ok \d+(.*)$/
const SKIPPED = /# (?:SKIP|TODO)\b/i

export default class TapCount extends Transform {
  #rest = ''
  #passed = 0
  #failed = 0
  #skipped = []
  #failedInFile = 0
  #yamlIndent = null

  _transform(chunk, _encoding, done) {
    const lines = (this.#rest + String(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#read(line)
    done(null, chunk)
  }

  _flush(done) {
    if (this.#rest !== '') this.#read(this.#rest)
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

  // A diagnostic block may quote anything, result lines included: nothing in it counts.
  #read(line) {
    if (this.#yamlIndent !== null) {
      if (line === `${this.#yamlIndent}...`) this.#yamlIndent = null
    } else if (/^ +---$/.test(line)) {
      this.#yamlIndent = line.slice(0, -3)
    } else if (line.startsWith('Bail out!')) {
      if (this.#failed === 0) this.#failed++
    } else {
      this.#count(line)
    }
  }

  #count(line) {
    const match = RESULT.exec(line)
    if (match === null) return
    const [, indent, not, rest] = match
    if (SKIPPED.test(rest)) {
      this.#skipped.push(rest.replace(/^[\s-]+/, ''))
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
