// The panels of the live view, in the order of their tabs. A new one is registered here.
import { panelOf, registerPanel } from '../panels.ts'
import '../playground/panel.ts'
import { TasksPanel } from './tasks.tsx'

registerPanel({ id: 'tasks', title: 'Tasks', order: 10, mount: panelOf(TasksPanel) })
