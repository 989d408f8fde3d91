// Runs the tests, then those that take long, which would keep the others from the processors. Its last lines repeat what failed
// in the first run, thousands of lines above, and count both.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The characters of a run's end that are searched for its failures and its count. */
const MOST_END = 100_000

let passed = 0
let failed = 0
let failures = ''
for (const script of ['test', 'test:long']) {
  const run = spawn('npm', ['run', '--silent', script], { stdio: ['inherit', 'pipe', 'inherit'] })
  let end = ''
  run.stdout.setEncoding('utf8').on('data', (chunk) => {
    process.stdout.write(chunk)
    end = (end + chunk).slice(-MOST_END)
  })
  const [code] = await once(run, 'close')
  const count = [...end.matchAll(/^(\d+) passed, (\d+) failed\n/gm)].at(-1)
  const first = end.search(/^failed: /m)
  if (script === 'test' && first !== -1) failures = end.slice(first, count?.index)
  passed += Number(count?.[1] ?? 0)
  // A run that ended without its count has failed, whatever it had passed.
  failed += Math.max(Number(count?.[2] ?? 1), code === 0 ? 0 : 1)
}
if (failures !== '') process.stdout.write(`\nin the first run:\n${failures}`)
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
