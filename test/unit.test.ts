// The tests that need no process, socket or browser: `npm run test:unit`.
import { together } from './support/together.ts'

together('unit')
