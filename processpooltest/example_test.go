//go:build unix

package processpooltest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/processpooltest"
)

// report is code under test that takes a Future.
func report(f *processpool.Future) string {
	if err := f.Result(); errors.Is(err, processpool.ErrNotModified) {
		return f.Meta().Key + " is up to date"
	} else if err != nil {
		return f.Meta().Key + " failed"
	}
	return fmt.Sprintf("%s has %d bytes", f.Meta().Key, f.Object().Size)
}

func ExampleResolved() {
	meta := processpool.Meta{Bucket: "mybucket", Key: "mykey", Filename: "myfile"}
	fmt.Println(report(processpooltest.Resolved(meta, processpool.Object{Size: 7}, nil)))

	err := &processpool.TransferError{
		Op: processpool.OpHead, Bucket: "mybucket", Key: "mykey", Filename: "myfile",
		Err: processpool.ErrNotModified,
	}
	fmt.Println(report(processpooltest.Resolved(meta, processpool.Object{}, err)))
	// Output:
	// mykey has 7 bytes
	// mykey is up to date
}

// exampleT stands for the *testing.T of a test.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func (t *exampleT) Helper()                  {}
func (t *exampleT) Context() context.Context { return context.Background() }
func (t *exampleT) Fatal(args ...any)        { log.Fatal(args...) }
func (t *exampleT) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) TempDir() string {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (t *exampleT) end() {
	for _, f := range t.cleanups {
		f()
	}
}

func ExampleServer() {
	t := &exampleT{} // in a test, its *testing.T
	defer t.end()

	server := processpooltest.NewServer(t)
	server.Put("mybucket", "mykey", []byte("content"))
	fault := server.Inject(processpooltest.Fault{Operation: "GetObject", Times: 1, Status: 503})

	d, err := processpool.NewDownloader(server.Config(), func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Shutdown()
	file := filepath.Join(t.TempDir(), "myfile")
	if err := d.DownloadFile(t.Context(), "mybucket", "mykey", file).Result(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	fmt.Printf("%s, %v, after %d fault\n", content, err, fault.Hits())
	for _, r := range server.Requests() {
		fmt.Println(r.Operation, r.Key)
	}
	// Output:
	// content, <nil>, after 1 fault
	// HeadObject mykey
	// GetObject mykey
	// GetObject mykey
}
