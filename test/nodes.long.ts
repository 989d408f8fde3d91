// On each supported Node: the tests that need no other process, the first run that the README shows, and a stall.
import t from 'tap'
import { eventually } from './support/eventually.ts'
import { nodeOf, SUPPORTED } from './support/nodes.ts'
import { runNode, startServer, WITH_TYPESCRIPT } from './support/server-process.ts'

interface Stall {
  ended: boolean
  name: string
  seconds: number
  stack?: { file: string }[]
}

for (const version of SUPPORTED) {
  const found = await nodeOf(version)
  t.test(`Node ${version}`, { skip: 'missing' in found && found.missing }, async (t) => {
    if (!('path' in found)) return
    const node = found.path

    await t.test('passes the unit tests', async (t) => {
      const { ended, log } = runNode(t, [...WITH_TYPESCRIPT, '--expose-gc', 'test/unit.test.ts'], { TAP_TIMEOUT: '120' }, { node })
      t.equal(await ended, 0, log().split('\n').filter((line) => /^ *not ok/.test(line)).join('\n'))
      const [, total = '0', passed] = /# \{ total: (\d+), pass: (\d+) \}/.exec(log()) ?? []
      t.ok(Number(total) > 2000 && passed === total, `${passed} of ${total}`)
    })

    await t.test('runs the server: an example, and a stall with its line', async (t) => {
      const { url, observer, child, ended } = await startServer(t, {}, { node })
      t.equal(await (await fetch(`${url}/examples/4/run?clock=virtual`)).text(), 'One\nOne\nOne\nTwo\nTwo\nTwo\n')
      t.equal((await fetch(`${url}/handlers/sync?thread=inline&ms=400`)).status, 200)
      const stalls = async (): Promise<Stall[]> => ((await (await fetch(`${observer}/stalls`)).json()) as { stalls: Stall[] }).stalls.filter(({ ended }) => ended)
      const blamed = (all: Stall[]): Stall | undefined => all.find(({ name, seconds }) => /^GET \/handlers\/sync/.test(name) && seconds >= 0.39)
      t.ok(await eventually(async () => blamed(await stalls()) !== undefined))
      t.match(blamed(await stalls())?.stack?.[0]?.file, /workers\/blocking-sleep\.ts$/)
      child.kill('SIGINT')
      t.equal(await ended, 0)
    })
  })
}
