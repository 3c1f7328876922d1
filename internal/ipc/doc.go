// Package ipc is the protocol between a pool and its worker processes: frames over one inherited
// Unix stream socket, with file descriptors beside them. On Windows it is a named pipe.
//
// # Frames
//
// A frame is a length (four bytes, big-endian, of what follows), a kind (one byte) and a JSON body.
// A descriptor travels as SCM_RIGHTS with the first byte of its frame (unix(7)). The kernel never
// merges data across it, so descriptors arrive in the order of the frames that announce them. On
// Windows the pool duplicates the handle into the worker, and a Handle frame in front of the
// message's frame carries its number there.
//
// # Conversation
//
// The worker speaks first. After the handshake the pool sends Job, Cancel, Credentials, Ping and
// Stop; the worker sends Found, Progress, Retry, Listed, Result, Ask and Pong:
//
//	worker -> pool  Hello
//	pool -> worker  Setup
//	worker -> pool  Ready
//	pool -> worker  Job        asks for one operation
//	worker -> pool  Found      the first answer has described the object
//	worker -> pool  Progress   so much of the range is in the file
//	worker -> pool  Retry      an attempt failed and another follows
//	worker -> pool  Listed     entries of a page that is too large for one frame
//	worker -> pool  Result     ends the job: one for each Job, in any order
//	pool -> worker  Stop
//
// A worker that has as many jobs as it has slots begins the next one when it has sent a Result, in the
// order in which they came.
//
// # Trace
//
// With PROCESSPOOLDEBUG=ipc in the application's environment, the pool prints every frame that it
// sends or receives to standard error, one line a frame:
//
//	processpool ipc: worker 4711 <- Job 12 GetObject s3://bucket/key bytes 0-8388607 of 20971520
//	processpool ipc: worker 4711 -> Result 12 GetObject 8388608 bytes written
//
// An arrow to the left is a frame to the worker, an arrow to the right one from it. See Describe
// for what a line leaves out: credentials, customer keys, session tokens and certificates.
package ipc
