// Package dispatch hands jobs to workers. It knows tasks, which have jobs to hand out, and a crew,
// whose workers do them; it knows nothing of downloads, listings or processes.
//
// One goroutine, the loop, owns everything: the queue of entries that wait, the tasks under way,
// the workers that are up and the jobs they have. The crew sends it events, everybody else sends it
// functions through [Loop.Do]. It blocks on nothing else: a task does what may block, such as a
// call of the file system, in a goroutine of its own, which reports back through Do.
//
// A function whose comment ends in "Loop goroutine only." may be called by the loop's goroutine
// alone: from a function given to Do, or from a method of Task or Entry. It needs no lock, and must
// not block.
//
//	Entry:  waiting --Begin--> active (it has a Task) --End--> ended
//	           \__________________Refuse_______________________/
//
// Invariants:
//  1. An entry is waiting, or active, or ended.
//  2. Every job that a worker has is in the crew; it takes up its slot until the worker answers or is
//     lost, even if its task has ended long before.
//  3. A job takes up its slot from Next on, also while its task prepares what it needs. One that is given
//     to a worker ahead has none until a slot of that worker is free, which is then its own.
//  4. The oldest task goes first: no job of a task is handed out while an older task has one. Only urgent
//     tasks go before: they are short, and others wait for them.
//  5. The crew is stopped when Shutdown has been called and no entry, no task and no Hold is left.
package dispatch
