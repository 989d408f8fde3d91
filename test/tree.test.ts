// The tests of the tree itself: imports, types, the lint rule, documentation and examples.
import { together } from './support/together.ts'

together('tree')
