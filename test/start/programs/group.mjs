// It starts as many processes as its argument says, each of which does what it reads: `block` blocks its thread for 300 ms, `exit` ends it.
import { fork } from 'node:child_process'

const processes = Number(process.argv[2] ?? 0)
const children = Array.from({ length: processes }, () => fork(process.argv[1], { stdio: ['pipe', 'inherit', 'inherit', 'ipc'] }))
for (const child of children) child.on('message', (pid) => console.log(`child ${pid}`))

function blockChild() {
  for (const end = performance.now() + 300; performance.now() < end;);
}

if (processes === 0) {
  process.send(process.pid)
  process.stdin.on('data', (text) => {
    if (text.toString().includes('exit')) process.exit()
    blockChild()
  })
} else {
  console.log(`parent ${process.pid}`)
  process.on('SIGUSR2', () => children[0].stdin.write('block'))
  process.on('SIGHUP', () => children[0].stdin.write('exit'))
}
// Limits its life.
setTimeout(() => process.exit(9), 120_000)
