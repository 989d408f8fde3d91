// The tests of apps that listen in this process, and of what they answer.
import { together } from './support/together.ts'

together('app')
