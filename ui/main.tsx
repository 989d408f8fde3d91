// The page's beginning: one session, the panels, the shell.
import './style.css'
import { mountShell } from './shell.tsx'
import { Session } from './session.ts'
import './panels/index.ts'
import './compare/panel.ts'
import './lab/panel.ts'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no #app')
const session = new Session()
mountShell(root, session)
session.connection.start()
// Whoever answers from now on may know of others.
session.connection.state.subscribe(() => void session.loops.look())
void session.loadExamples()
// For tests and for the curious.
Object.assign(globalThis, { loopscope: session })
