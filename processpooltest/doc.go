/*
Package processpooltest helps to test programs that download with package processpool: with an S3
server in the test's process, or without any download.

	func TestReport(t *testing.T) {
		server := processpooltest.NewServer(t)
		server.Put("mybucket", "mykey", []byte("content"))
		server.Inject(processpooltest.Fault{Operation: "GetObject", Times: 1, Status: 503})
		d, err := processpool.NewDownloader(server.Config())
		if err != nil { t.Fatal(err) }
		defer d.Shutdown()
		file := filepath.Join(t.TempDir(), "myfile")
		if err := d.DownloadFile(t.Context(), "mybucket", "mykey", file).Result(); err != nil { t.Error(err) }
	}

Workers are processes of their own, and reach the [Server] over loopback. It has objects with
versions, checksums and parts, and listings; it checks signatures on request, records requests, and
fails as a [Fault] orders. It has no uploads: only [Server.Put] stores an object.

[Resolved] returns a Future that has ended, for code that takes one. It needs no pool and no server.

See docs/testing.md for what a test binary does as a worker.
*/
package processpooltest
