// Reports calls of Node's synchronous functions, with the line that calls them. The functions are replaced once in a process, when
// this is imported: code that takes one out of its module earlier (`const { readFileSync } = require('fs')`) is not seen.
import child_process from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import zlib from 'node:zlib'
import { isOwnCode } from '../own-code.ts'
import { isSyncFunction, type SYNC_MODULES } from '../sync-functions.ts'

/** A place in a program: `totals (file:///app/report.js:41:9)`. */
export interface SyncCall {
  /** `fs.readFileSync` */
  function: string
  /** The line that called it. */
  at: string
  stack: string[]
}

type Listener = (call: SyncCall) => void
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

const MODULES: Record<(typeof SYNC_MODULES)[number], object> = { fs, child_process, crypto, zlib }
const DEPTH = 30
const MOST_FRAMES = 15

/** Of this process: each copy of this module, as test runners make them, uses the same wrappers. */
const LISTENERS = Symbol.for('loopscope.sync-calls')
const shared = fs as unknown as { [LISTENERS]?: Set<Listener> }

function install(): Set<Listener> {
  const listeners = new Set<Listener>()
  for (const [name, module] of Object.entries(MODULES)) {
    const functions = module as Record<string, AnyFunction>
    for (const key of Object.keys(functions)) {
      if (!isSyncFunction(key) || typeof functions[key] !== 'function') continue
      functions[key] = wrapped(`${name}.${key}`, functions[key], listeners)
    }
  }
  syncBuiltinESMExports()
  return listeners
}

function wrapped(name: string, original: AnyFunction, listeners: ReadonlySet<Listener>): AnyFunction {
  const wrapper: AnyFunction = function (...args) {
    if (listeners.size > 0) report(name, wrapper, listeners)
    return Reflect.apply(original, this, args)
  }
  // Its name, its number of arguments, and what it has besides, such as `fs.realpathSync.native`.
  return Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original))
}

/** `wrapper`: what is above it on the stack is left out. */
function report(name: string, wrapper: AnyFunction, listeners: ReadonlySet<Listener>): void {
  const lines = linesAbove(wrapper)
  // Node itself, for example while it loads a module.
  if (/\((?:node:|internal\/)|^node:/.test(lines[0] ?? 'node:')) return
  const stack = lines.filter((line) => !isOwn(line)).slice(0, MOST_FRAMES)
  const at = stack.find((line) => !/\(?node:/.test(line))
  if (at === undefined) return
  for (const listener of listeners) listener({ function: name, at, stack })
}

function linesAbove(wrapper: AnyFunction): string[] {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = DEPTH
  const holder: { stack?: unknown } = {}
  Error.captureStackTrace(holder, wrapper)
  Error.stackTraceLimit = stackTraceLimit
  const { stack } = holder
  return typeof stack === 'string' ? stack.split('\n').filter((line) => line.startsWith('    at ')).map((line) => line.slice(7)) : []
}

function isOwn(line: string): boolean {
  const [, place = ''] = /\(?((?:file:|\/|[A-Za-z]:\\).*?):\d+:\d+\)?$/.exec(line) ?? []
  return isOwnCode(place.startsWith('file:') ? place : `file://${place}`)
}

/** Calls `listener` with each call until the returned function is called. */
export function onSyncCall(listener: Listener): () => void {
  const listeners = (shared[LISTENERS] ??= install())
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

shared[LISTENERS] ??= install()
