// All cases, in the order of the requirements.
import { CORE_CASES, CORE_UNOBSERVABLE } from './core-cases.ts'
import { EXTENSION_CASES } from './extension-cases.ts'
import { HTTP_CASES } from './http-cases.ts'
import { HTTP2_CASES } from './http2-cases.ts'
import { LIFESPAN_CASES } from './lifespan-cases.ts'
import type { Case, Unobservable } from './suite.ts'
import { WEBSOCKET_CASES, WEBSOCKET_UNOBSERVABLE } from './websocket-cases.ts'

export const ALL_CASES: Case[] = [...CORE_CASES, ...HTTP_CASES, ...HTTP2_CASES, ...WEBSOCKET_CASES, ...LIFESPAN_CASES, ...EXTENSION_CASES]
export const UNOBSERVABLE: Unobservable[] = [...CORE_UNOBSERVABLE, ...WEBSOCKET_UNOBSERVABLE]
