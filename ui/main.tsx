// The page's entry: one session, the panels, the shell.
import './style.css'
import { effect } from '@preact/signals'
import { mountShell } from './shell.tsx'
import { Session } from './session.ts'
import './panels/index.ts'
import './compare/panel.ts'
import './lab/panel.ts'
import './style/screens.css'
import './style/presenter.css'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no #app')
const session = new Session()
mountShell(root, session)
session.connection.start()
// After a reconnect, another server may answer and list other loops.
session.connection.state.subscribe(() => void session.loops.look())
// As soon as the stream says that there are examples, and again after a reconnect.
effect(() => {
  void session.connection.state.value
  void session.loadExamples()
})
// For tests and for the browser's console.
Object.assign(globalThis, { loopscope: session })
