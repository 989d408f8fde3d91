// A program that ends right after a stall, or in the middle of one, has the line of that stall.
import t from 'tap'
import { found, loopscope, program } from './support.ts'

const LINE = /^loopscope: blocked for \d+ ms \([a-z-]+\) by blockLast outside of the event loop, in blockLast \(\S*last-stall\.mjs:\d+\)/m

for (const [way, code] of Object.entries({ inside: 3, after: 0, error: 1 })) {
  t.test(`that ends ${way}`, async (t) => {
    const ended = await loopscope(t, ['run', '--port', '0', program('last-stall.mjs'), way]).ended
    t.match(ended, { code, out: '', err: LINE })
  })
}

t.test('that a signal ends while it is blocked', async (t) => {
  const running = loopscope(t, ['run', '--port', '0', program('last-stall.mjs'), 'signal'])
  await found(running.err, /; it goes on\n/)
  running.child.kill('SIGTERM')
  t.match(await running.ended, { signal: 'SIGTERM', err: LINE })
})
