// A tap reporter: passes the TAP stream through and ends it with the plain line "N passed, N failed, N skipped".
// What it counts: every subtest of a file (indented once); a file that failed with no failed subtest (it crashed)
// is one failure more.
import { Transform } from 'node:stream'

const RESULT = /^( {4})?(not )?ok \d+(.*)$/

export default class TapCount extends Transform {
  #rest = ''
  #passed = 0
  #failed = 0
  #skipped = []
  #failedInFile = 0

  _transform(chunk, _encoding, done) {
    const lines = (this.#rest + String(chunk)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#count(line)
    done(null, chunk)
  }

  _flush(done) {
    if (this.#rest !== '') this.#count(this.#rest)
    for (const title of this.#skipped) this.push(`skipped: ${title}\n`)
    const skipped = this.#skipped.length
    if (skipped > 0 && process.env.CI === 'true') {
      this.push('CI=true: nothing may be skipped\n')
      this.#failed += skipped
      process.exitCode = 1
    }
    this.push(`\n${this.#passed} passed, ${this.#failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
    done()
  }

  #count(line) {
    const match = RESULT.exec(line)
    if (match === null) return
    const [, indent, not, rest] = match
    if (indent === undefined) {
      if (not !== undefined && this.#failedInFile === 0) this.#failed++
      this.#failedInFile = 0
    } else if (/# (SKIP|TODO)/i.test(rest)) {
      this.#skipped.push(rest.replace(/^[\s-]+/, ''))
    } else if (not !== undefined) {
      this.#failed++
      this.#failedInFile++
    } else {
      this.#passed++
    }
  }
}
