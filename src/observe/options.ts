// The check of options, which the runtime has too.
export { requireKnown, type Names } from '../runtime/checks.ts'
