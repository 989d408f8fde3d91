// The goals, as the least ratio "peer ÷ loopscope" that meets them: 6 means at least six times faster (or smaller) than the
// peer; or as the highest ratio, if the peer is loopscope itself with something more to do.

export const goals = [
  { workload: 'spawn', peer: 'native', atLeast: 1 },
  { workload: 'spawn', peer: 'native-tuned', atLeast: 1 / 1.4 },
  { workload: 'spawn', peer: 'uvloop', atLeast: 6 },
  { workload: 'spawn', peer: 'effect', atLeast: 2 },
  { workload: 'switch', peer: 'native', atLeast: 1 },
  { workload: 'switch', peer: 'uvloop', atLeast: 8 },
  { workload: 'switch', peer: 'effect', atLeast: 7 },
  { workload: 'pingpong', peer: 'native', atLeast: 2 },
  { workload: 'pingpong', peer: 'uvloop', atLeast: 9 },
  { workload: 'pingpong', peer: 'effect', atLeast: 12 },
  { workload: 'queue', peer: 'native', atLeast: 1.4 },
  { workload: 'queue', peer: 'uvloop', atLeast: 5 },
  { workload: 'queue', peer: 'effect', atLeast: 6 },
  { workload: 'timers', peer: 'native', atLeast: 1.7 },
  { workload: 'timers', peer: 'uvloop', atLeast: 6 },
  { workload: 'timers', peer: 'effect', atLeast: 4 },
  { workload: 'memory', peer: 'native', atLeast: 1 / 0.55 },
  { workload: 'memory', peer: 'uvloop', atLeast: 1 / 0.25 },
  { workload: 'memory', peer: 'effect', atLeast: 1 / 0.2 },
  { workload: 'deep', peer: 'native', atLeast: 1 },
  { workload: 'deep', peer: 'uvloop', atLeast: 2.4 },
  { workload: 'deep', peer: 'effect', atLeast: 25 },
  // Stretch: a suspension 50 awaits deep costs the same as one that is one await deep (0.8 leaves room for noise).
  { workload: 'resuspend', peer: 'loopscope', of: 'resuspend-flat', atLeast: 0.8 },
  { workload: 'cancel', peer: 'native', atLeast: 12 },
  { workload: 'cancel', peer: 'uvloop', atLeast: 1.8 },
  { workload: 'cancel', peer: 'effect', atLeast: 1.1 },
  { workload: 'events', peer: 'hookless', atLeast: 1 / 1.05 },
  { workload: 'events', peer: 'recording', atMost: 2 },
]
