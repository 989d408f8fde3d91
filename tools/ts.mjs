// Loaded with --import: lets Node run the project's TypeScript as it is, also in worker threads.
import { register } from 'tsx/esm/api'

register()
