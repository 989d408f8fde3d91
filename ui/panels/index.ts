// The panels of the live view, in the order of their tabs. Register a new one here.
import { panelOf, registerPanel } from '../panels.ts'
import '../lessons/panels.ts'
import '../playground/panel.ts'
import { GraphPanel } from './graph.tsx'
import { LoopPanel } from './loop.tsx'
import { MotionPanel } from './motion.tsx'
import { OutputPanel, RunsPanel } from './output.tsx'
import { QueuesPanel } from './queues.tsx'
import { RequestsPanel } from './requests.tsx'
import { StallsPanel, stallsOf } from './stalls.tsx'
import { TasksPanel } from './tasks.tsx'
import { WarningsPanel, warningsOf } from './warnings.tsx'
import { WhyPanel } from './why.tsx'
import { WordsPanel } from './words.tsx'

registerPanel({ id: 'why', title: 'Why?', needs: 'tasks', place: 'side', order: 10, mount: panelOf(WhyPanel) })
registerPanel({ id: 'tasks', title: 'Tasks', needs: 'tasks', order: 10, mount: panelOf(TasksPanel) })
registerPanel({ id: 'stalls', title: 'Stalls', order: 20, mount: panelOf(StallsPanel), badge: (context) => (void context.session.tick.value, stallsOf(context).length) })
registerPanel({ id: 'output', title: 'Output', needs: 'tasks', order: 30, mount: panelOf(OutputPanel) })
registerPanel({ id: 'loop', title: 'Loop', needs: 'tasks', order: 40, mount: panelOf(LoopPanel) })
registerPanel({ id: 'motion', title: 'Motion', needs: 'tasks', order: 42, mount: panelOf(MotionPanel) })
registerPanel({ id: 'graph', title: 'Await graph', needs: 'tasks', order: 45, mount: panelOf(GraphPanel) })
registerPanel({ id: 'queues', title: 'Queues', needs: 'tasks', order: 50, mount: panelOf(QueuesPanel), badge: ({ session }) => (void session.tick.value, session.recording.value.queues.all.size) })
registerPanel({ id: 'requests', title: 'Requests', needs: 'requests', order: 60, mount: panelOf(RequestsPanel) })
registerPanel({ id: 'runs', title: 'Runs', needs: 'examples', order: 70, mount: panelOf(RunsPanel), badge: ({ session }) => (void session.tick.value, session.recording.value.runs.size) })
registerPanel({ id: 'warnings', title: 'Warnings', order: 80, mount: panelOf(WarningsPanel), badge: (context) => (void context.session.tick.value, warningsOf(context).length) })
registerPanel({ id: 'words', title: 'Table', order: 90, mount: panelOf(WordsPanel) })
