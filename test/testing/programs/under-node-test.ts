// A file of tests for node:test, of which three fail.
import test, { afterEach, beforeEach, describe } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { gated, LoopGate } from '../../../src/testing/index.ts'
import { execSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { reads, spins } from './blocking.ts'

void test('waits', gated(async (t) => {
  if (t.name !== 'waits') throw new Error('the arguments are those of the runner')
  await readFile(import.meta.filename)
  await setTimeout(50)
}))
void test('spins', gated(() => spins(400)))
void test('runs a command', gated(() => void execSync('true')))
void describe('with hooks', () => {
  const gate = new LoopGate({ blockedMs: 200, sync: false })
  beforeEach(() => gate.start())
  afterEach(() => gate.assert())
  void test('reads', () => void reads())
  void test('spins in a hook', async () => {
    await setTimeout(1)
    spins(400)
  })
})
