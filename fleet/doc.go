/*
Package fleet has many machines download one list of S3 objects. A NATS server with JetStream holds
the list as a queue; package processpool does the downloads. Command s3fleet is made of it.

	nc, err := fleet.Connect(fleet.Server{URL: "tls://nats.example:4222", Creds: "user.creds"}, "me")
	run, err := fleet.Create(ctx, nc, "photos", fleet.Options{})
	plan, err := run.Plan(ctx, fleet.Prefix(cfg, "mybucket", "photos/"), nil)  // once
	report, err := run.Work(ctx, downloader, fleet.WorkOptions{Dir: "/data", Slots: 10})  // on each machine
	status, err := run.Status(ctx)

# On the server

A run named R has four things on the server:

  - the stream processpool-R-work, with work-queue retention: subjects processpool.R.work.N for messages
    of N objects. The server removes a message when it is acknowledged;
  - its durable consumer work, from which all workers pull;
  - the stream processpool-R-dead: a subject processpool.R.dead.S.I for object I of message S, with at
    most one message each;
  - the key-value bucket processpool-R: the record of the run, and a report of each worker.

A message is JSON: {"v":1,"objects":[{"bucket","key","version","etag","size","checksum","file"}]}. Objects
of at most 1 MiB travel together, up to 100 of them or 64 MiB; others have a message each.

# Each object is planned once

The plan is written down before it is carried out. The record holds how far the source has been read
(the cursor), what is planned up to there, and the messages that are being added; it changes by
compare-and-set only. Then each message is published with the sequence that it must get
(Nats-Expected-Last-Sequence), so that the server refuses a second copy, also hours later and from a
planner that was stopped meanwhile. Whoever plans next finds the record, publishes what is missing of its
messages, and goes on at the cursor. Ids of messages (Nats-Msg-Id) say the same to the server within its
window for duplicates; nothing depends on the window.

# The counts are right

No event is counted. The number of objects in a message is in its subject, and the server tells how
many messages each subject has. So

	open    = the objects of the messages in the work stream
	dead    = the messages of the dead stream
	planned = what the record says
	done    = planned - open - dead

An object that is delivered ten times is in one message, and is open until that is acknowledged. One
that fails on two machines has one subject in the dead stream. A failure is published there, and
confirmed, before the message is acknowledged; in between an object is open and dead, and done is too
small by one, never too large. The run has ended when the plan is complete and nothing is open: then
done + dead = planned. Bytes and rates are what workers report of themselves; they are for people.

# Each file is whole, and downloaded once

A download insists on the version that was planned (IfMatch), and appears by one rename when it is
verified and on stable storage (Durable); then the message is acknowledged, and the worker waits until the
server has confirmed that. A worker that dies before is replaced when its time (AckWait) is over. One that
was stopped, and comes back after its message went to another, does no harm: both write the same bytes to
files of their own, and rename them. The second one finds the size and the ETag, which is kept in an
extended attribute of the file, and does not download at all; where the file system has no such
attributes, it downloads again.

There is one thing that a worker cannot know: that it was stopped for longer than AckWait between its
look at the clock and the message to the dead. If another worker has downloaded the object meanwhile, it is
in place and dead. Requeue heals it.
*/
package fleet
