// Runs the tests, then those that take long, which would keep the others from the processors. Its last line counts both runs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

let passed = 0
let failed = 0
for (const script of ['test', 'test:long']) {
  const run = spawn('npm', ['run', '--silent', script], { stdio: ['inherit', 'pipe', 'inherit'] })
  let end = ''
  run.stdout.on('data', (chunk) => {
    process.stdout.write(chunk)
    end = (end + String(chunk)).slice(-200)
  })
  const [code] = await once(run, 'close')
  const count = /^(\d+) passed, (\d+) failed\n$/m.exec(end)
  passed += Number(count?.[1] ?? 0)
  // A run that ended without its count has failed, whatever it had passed.
  failed += Math.max(Number(count?.[2] ?? 1), code === 0 ? 0 : 1)
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
