package pool

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

var (
	crc   = checksum.Stored{Algorithm: checksum.CRC64NVME, Kind: checksum.FullObject, Value: "AAAAAAAAAAA="}
	md5   = checksum.Stored{Algorithm: checksum.MD5, Kind: checksum.ETag, Value: strings.Repeat("0", 32)}
	parts = checksum.Stored{Algorithm: checksum.SHA256, Kind: checksum.Composite, Value: "x", Parts: 2}
	many  = checksum.Stored{Algorithm: checksum.MD5, Kind: checksum.ETag, Value: strings.Repeat("0", 32), Parts: math.MaxInt32}
)

func sized(size int64, stored ...checksum.Stored) ipc.Object {
	return ipc.Object{Size: size, ETag: "e", Stored: stored}
}

// Jobs that a pool gives.
var (
	jobHead    = ipc.Job{Head: &ipc.Head{Layout: true}}
	jobPlain   = ipc.Job{Head: &ipc.Head{}}
	jobDirect  = ipc.Job{Get: &ipc.Get{ETag: "e", Size: 100, Offset: 90, Length: 10, Align: 1}}
	jobRange   = ipc.Job{Get: &ipc.Get{ETag: "e", Size: 100, Offset: 90, Length: 10, Choose: true, Checksum: checksum.CRC64NVME}}
	jobDigest  = ipc.Job{Get: &ipc.Get{ETag: "e", Size: 10, Length: 10, OneRange: true, Choose: true, Checksum: checksum.MD5}}
	jobExpects = ipc.Job{Get: &ipc.Get{Size: 100, Length: 10, Unconfirmed: true, Choose: true}}
	jobUnknown = ipc.Job{Get: &ipc.Get{Size: ipc.SizeUnknown, Length: ipc.SizeUnknown, Whole: true, Unconfirmed: true, Limit: 50, Choose: true, OneRange: true}}
	jobOff     = ipc.Job{Get: &ipc.Get{Size: 100, Length: 10, Unconfirmed: true}}
	jobEmpty   = ipc.Job{Get: &ipc.Get{ETag: "e", Whole: true, Unconfirmed: true, Choose: true, OneRange: true}}
	jobParts   = ipc.Job{Parts: &ipc.Parts{ETag: "e", Size: 10}}
	jobList    = ipc.Job{List: &ipc.List{Prefix: "p/", Token: "t"}}
	jobAlso    = ipc.Job{Get: &ipc.Get{ETag: "e", Size: 10, Length: 10, Also: []checksum.Algorithm{checksum.CRC32, checksum.SHA256}}}
	jobBack    = ipc.Job{Read: &ipc.Read{Length: 10, Also: []checksum.Algorithm{checksum.XXHASH128}}}
	jobRead    = ipc.Job{Read: &ipc.Read{Length: 10, Checksum: checksum.MD5, Record: checksum.CRC64NVME}}
)

func get(r ipc.GetResult) *ipc.Result { return &ipc.Result{Get: &r} }

// hear gives a job, and returns the error of the first message that is refused.
func hear(job ipc.Job, messages ...ipc.Message) error {
	j := Jobs{Attempts: true}
	j.Give(&job)
	for _, m := range messages {
		if _, err := j.Hear(0, m); err != nil {
			return err
		}
	}
	return nil
}

// What honest workers say is never refused.
func TestCheckHonest(t *testing.T) {
	retry := &ipc.Retry{Attempt: 1, Wait: failure.MaxWait, Kind: failure.KindUnexpected, Cause: strings.Repeat("\ufffd", failure.MaxText)}
	long := failure.Pack(failure.ErrStalled)
	long.Text = retry.Cause
	long.API = &failure.API{Message: retry.Cause, Code: retry.Cause}
	uniform, _ := proof.UniformLayout(10, 5, 2)
	withParts := sized(10, parts, many)
	withParts.Layout = uniform
	for name, c := range map[string]struct {
		job      ipc.Job
		messages []ipc.Message
	}{
		"head":                    {jobPlain, []ipc.Message{retry, &ipc.Result{Head: &ipc.HeadResult{Object: sized(0)}}}},
		"head, attempts again":    {jobHead, []ipc.Message{retry, retry, &ipc.Result{Head: &ipc.HeadResult{Object: withParts}}}},
		"head, many parts":        {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{Object: sized(10, many)}}}},
		"error":                   {jobHead, []ipc.Message{&ipc.Result{Err: long}}},
		"range":                   {jobRange, []ipc.Message{&ipc.Progress{Written: 5}, &ipc.Progress{Written: 10}, get(ipc.GetResult{Object: sized(100), Written: 10})}},
		"range, written direct":   {jobDirect, []ipc.Message{get(ipc.GetResult{Object: sized(100), Written: 10, Direct: 10})}},
		"range that begins again": {jobRange, []ipc.Message{&ipc.Progress{Written: 5}, &ipc.Progress{}, retry, get(ipc.GetResult{Object: sized(100), Written: 10})}},
		"digest":                  {jobDigest, []ipc.Message{get(ipc.GetResult{Object: sized(10, crc), Written: 10, Digest: make([]byte, 16)})}},
		"expected size": {jobExpects, []ipc.Message{
			retry, &ipc.Found{Object: sized(100, crc, md5), Chosen: &crc}, &ipc.Progress{Written: 10},
			get(ipc.GetResult{Object: sized(100, crc, md5), Chosen: &crc, Written: 10}),
		}},
		"nothing to verify by": {jobExpects, []ipc.Message{&ipc.Found{Object: sized(100, md5)}, get(ipc.GetResult{Object: sized(100, md5), Written: 10})}},
		"not verified":         {jobOff, []ipc.Message{&ipc.Found{Object: sized(100, crc)}, get(ipc.GetResult{Object: sized(100, crc), Written: 10})}},
		"unknown size": {jobUnknown, []ipc.Message{
			&ipc.Found{Object: sized(49, md5), Chosen: &md5}, &ipc.Progress{Written: 40},
			get(ipc.GetResult{Object: sized(49, md5), Chosen: &md5, Written: 49, Digest: make([]byte, 16)}),
		}},
		"small, without Found": {jobUnknown, []ipc.Message{
			&ipc.Progress{Written: 40}, &ipc.Progress{}, get(ipc.GetResult{Object: sized(49, md5), Chosen: &md5, Written: 49, Digest: make([]byte, 16)}),
		}},
		"smaller after all": {jobUnknown, []ipc.Message{&ipc.Progress{Written: 40}, retry, &ipc.Found{Object: sized(10, md5), Chosen: &md5}}},
		"unsuited":          {jobUnknown, []ipc.Message{get(ipc.GetResult{Unsuited: true})}},
		"empty":             {jobEmpty, []ipc.Message{get(ipc.GetResult{Object: sized(0, md5), Chosen: &md5, Digest: make([]byte, 16)})}},
		"parts":             {jobParts, []ipc.Message{&ipc.Result{Parts: &ipc.PartsResult{Layout: uniform, Parts: make([]proof.PartSum, 2)}}}},
		"unknown parts":     {jobParts, []ipc.Message{&ipc.Result{Parts: &ipc.PartsResult{Parts: make([]proof.PartSum, 3)}}}},
		"list": {jobList, []ipc.Message{
			&ipc.Listed{Entries: []ipc.Entry{{Key: []byte("p/1")}}},
			&ipc.Result{List: &ipc.Page{Entries: []ipc.Entry{{Key: []byte("p/2")}}, Next: "t2"}},
		}},
		"attempts of a head": {jobHead, []ipc.Message{
			&ipc.Attempt{Op: ipc.OpHead, Number: 1, Status: 503, Err: long, RequestID: retry.Cause}, retry,
			&ipc.Attempt{Op: ipc.OpHead, Number: 2, Status: 200}, &ipc.Attempt{Op: ipc.OpGet, Number: 1, Length: 1},
			&ipc.Attempt{Op: ipc.OpParts, Number: 1}, &ipc.Result{Head: &ipc.HeadResult{Object: sized(0)}},
		}},
		"attempt of unknown size": {jobUnknown, []ipc.Message{
			&ipc.Attempt{Op: ipc.OpGet, Number: 1, Length: ipc.SizeUnknown}, get(ipc.GetResult{Unsuited: true}),
		}},
		"attempt of parts":  {jobParts, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead, Number: 1}}},
		"attempt of a list": {jobList, []ipc.Message{&ipc.Attempt{Op: ipc.OpList, Number: 1}}},
		"further checksums": {jobAlso, []ipc.Message{
			&ipc.Progress{Written: 5, Also: [][]byte{make([]byte, 4), nil}},
			get(ipc.GetResult{Object: sized(10), Written: 10, Also: [][]byte{make([]byte, 4), make([]byte, 32)}}),
		}},
		"read back": {jobBack, []ipc.Message{&ipc.Result{Read: &ipc.ReadResult{Also: [][]byte{make([]byte, 16)}}}}},
		"read":      {jobRead, []ipc.Message{&ipc.Result{Read: &ipc.ReadResult{Digest: make([]byte, 16)}}}},
	} {
		if err := hear(c.job, c.messages...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What no honest worker says is refused, and the error says what it was.
func TestCheckRefuses(t *testing.T) {
	layout := func(l proof.Layout) ipc.Message {
		o := sized(10, parts)
		o.Layout = l
		return &ipc.Result{Head: &ipc.HeadResult{Object: o}}
	}
	text := strings.Repeat("x", 20<<10)
	for name, c := range map[string]struct {
		job  ipc.Job
		say  []ipc.Message
		want string
	}{
		"progress, no sums":      {jobAlso, []ipc.Message{&ipc.Progress{Written: 5}}, "0 further checksums where 2 were asked for"},
		"progress, no CRC":       {jobAlso, []ipc.Message{&ipc.Progress{Written: 5, Also: make([][]byte, 2)}}, "a CRC32 of 0 bytes"},
		"progress, a digest":     {jobAlso, []ipc.Message{&ipc.Progress{Written: 5, Also: [][]byte{make([]byte, 4), make([]byte, 32)}}}, "a SHA256 of 32 bytes"},
		"get, no digest":         {jobAlso, []ipc.Message{get(ipc.GetResult{Object: sized(10), Written: 10, Also: [][]byte{make([]byte, 4), nil}})}, "a SHA256 of 0 bytes"},
		"get, sums not asked":    {jobRange, []ipc.Message{get(ipc.GetResult{Object: sized(100), Written: 10, Also: make([][]byte, 1)})}, "1 further checksums"},
		"read back, no digest":   {jobBack, []ipc.Message{&ipc.Result{Read: &ipc.ReadResult{}}}, "0 further checksums where 1"},
		"progress of a head":     {jobHead, []ipc.Message{&ipc.Progress{}}, "progress of a job that writes nothing"},
		"found of a head":        {jobHead, []ipc.Message{&ipc.Found{}}, "did not ask for"},
		"found, not asked":       {jobRange, []ipc.Message{&ipc.Found{Object: sized(100)}}, "did not ask for"},
		"found twice":            {jobOff, []ipc.Message{&ipc.Found{Object: sized(100)}, &ipc.Found{Object: sized(100)}}, "a second object"},
		"found less":             {jobUnknown, []ipc.Message{&ipc.Progress{Written: 1}, &ipc.Found{Object: sized(0)}}, "an object of 0 bytes after 1 were written"},
		"progress below 0":       {jobRange, []ipc.Message{&ipc.Progress{Written: -100}}, "progress of -100 bytes in a range of 10"},
		"progress beyond":        {jobRange, []ipc.Message{&ipc.Progress{Written: 1 << 50}}, "in a range of 10"},
		"progress beyond limit":  {jobUnknown, []ipc.Message{&ipc.Progress{Written: 50}}, "in a range of 49"},
		"progress beyond found":  {jobUnknown, []ipc.Message{&ipc.Found{Object: sized(9, crc), Chosen: &crc}, &ipc.Progress{Written: 10}}, "in a range of 9"},
		"found of another size":  {jobOff, []ipc.Message{&ipc.Found{Object: sized(99)}}, "an object of 99 bytes where one of 100"},
		"found beyond the limit": {jobUnknown, []ipc.Message{&ipc.Found{Object: sized(50)}}, "where the limit is 50"},
		"choice, not asked":      {jobOff, []ipc.Message{&ipc.Found{Object: sized(100, crc), Chosen: &crc}}, "a choice"},
		"choice of another":      {jobExpects, []ipc.Message{&ipc.Found{Object: sized(100, crc, md5), Chosen: &md5}}, "a choice"},
		"choice of parts":        {jobExpects, []ipc.Message{&ipc.Found{Object: sized(100, parts), Chosen: &parts}}, "a choice"},
		"no choice":              {jobExpects, []ipc.Message{&ipc.Found{Object: sized(100, crc)}}, "a choice"},
		"another object":         {jobUnknown, []ipc.Message{&ipc.Found{Object: sized(9, crc), Chosen: &crc}, get(ipc.GetResult{Object: sized(8, crc), Chosen: &crc, Written: 8})}, "told of"},
		"unsuited, not asked":    {jobRange, []ipc.Message{get(ipc.GetResult{Unsuited: true})}, "beyond a limit"},
		"unsuited after found":   {jobUnknown, []ipc.Message{&ipc.Found{Object: sized(9, crc), Chosen: &crc}, get(ipc.GetResult{Unsuited: true})}, "beyond a limit"},
		"unsuited head":          {jobHead, []ipc.Message{get(ipc.GetResult{Unsuited: true})}, `an answer to "GetObject", asked for "HeadObject"`},
		"direct, not asked":      {jobOff, []ipc.Message{get(ipc.GetResult{Object: sized(100, crc), Written: 10, Direct: 1})}, "past the page cache"},
		"direct below 0":         {jobDirect, []ipc.Message{get(ipc.GetResult{Object: sized(100), Written: 10, Direct: -1})}, "past the page cache"},
		"direct beyond":          {jobDirect, []ipc.Message{get(ipc.GetResult{Object: sized(100), Written: 10, Direct: 11})}, "past the page cache"},
		"short":                  {jobRange, []ipc.Message{get(ipc.GetResult{Object: sized(100), Written: 9})}, "9 bytes written of a range of 10"},
		"no digest":              {jobDigest, []ipc.Message{get(ipc.GetResult{Object: sized(10), Written: 10})}, "a digest of 0 bytes where 16 are right"},
		"digest, not asked":      {jobRange, []ipc.Message{get(ipc.GetResult{Object: sized(100), Written: 10, Digest: []byte("x")})}, "a digest of 1 bytes"},
		"no answer":              {jobHead, []ipc.Message{&ipc.Result{}}, `an answer to ""`},
		"two answers":            {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{}, Read: &ipc.ReadResult{}}}, `an answer to ""`},
		"error and two answers":  {jobHead, []ipc.Message{&ipc.Result{Err: &failure.Wire{}, Head: &ipc.HeadResult{}, Read: &ipc.ReadResult{}}}, "at once"},
		"size below 0":           {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{Object: sized(-5)}}}, "-5 bytes"},
		"layout, not asked":      {jobPlain, []ipc.Message{layout(proof.Layout{Uniform: 5, Size: 10})}, "parts that the job did not ask for"},
		"layout of a get":        {jobOff, []ipc.Message{&ipc.Found{Object: ipc.Object{Size: 100, Layout: proof.Layout{Uniform: 50, Size: 100}}}}, "parts that the job"},
		"layout that ends early": {jobHead, []ipc.Message{layout(proof.Layout{Ends: []int64{5, 9}, Size: 10})}, "do not make up"},
		"layout of 0":            {jobHead, []ipc.Message{layout(proof.Layout{Uniform: -1, Size: 10})}, "do not make up"},
		"unknown algorithm":      {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{Object: sized(10, checksum.Stored{Algorithm: "X", Kind: checksum.FullObject})}}}, `"X"`},
		"unknown kind":           {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{Object: sized(10, checksum.Stored{Algorithm: "MD5", Kind: "X"})}}}, `"X"`},
		"parts below 0":          {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{Object: sized(10, checksum.Stored{Algorithm: "MD5", Kind: checksum.ETag, Parts: -1})}}}, "checksum"},
		"too many checksums":     {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{Object: sized(10, make([]checksum.Stored, 17)...)}}}, "17 checksums"},
		"long ETag":              {jobHead, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{Object: ipc.Object{ETag: text}}}}, "20480 bytes"},
		"fewer part sums":        {jobParts, []ipc.Message{&ipc.Result{Parts: &ipc.PartsResult{Layout: proof.Layout{Uniform: 5, Size: 10}, Parts: make([]proof.PartSum, 1)}}}, "do not make up"},
		"other parts":            {jobParts, []ipc.Message{&ipc.Result{Parts: &ipc.PartsResult{Layout: proof.Layout{Uniform: 5, Size: 11}}}}, "do not make up"},
		"unknown sum of a part":  {jobParts, []ipc.Message{&ipc.Result{Parts: &ipc.PartsResult{Parts: []proof.PartSum{{Algorithm: "X"}}}}}, `"X"`},
		"no key":                 {jobList, []ipc.Message{&ipc.Result{List: &ipc.Page{Entries: make([]ipc.Entry, 1)}}}, "without a key"},
		"other prefix":           {jobList, []ipc.Message{&ipc.Listed{Entries: []ipc.Entry{{Key: []byte("q/1")}}}}, "prefix"},
		"negative entry":         {jobList, []ipc.Message{&ipc.Listed{Entries: []ipc.Entry{{Key: []byte("p/1"), Size: -1}}}}, "-1 bytes"},
		"page to itself":         {jobList, []ipc.Message{&ipc.Result{List: &ipc.Page{Next: "t"}}}, "leads to itself"},
		"attempt of a read":      {jobRead, []ipc.Message{&ipc.Retry{Attempt: 1, Kind: failure.KindOther}}, "makes no request"},
		"attempt 0":              {jobHead, []ipc.Message{&ipc.Retry{Kind: failure.KindOther}}, "attempt 0"},
		"request of a read":      {jobRead, []ipc.Message{&ipc.Attempt{Op: ipc.OpGet, Number: 1}}, `the operation "GetObject"`},
		"request of another":     {jobRange, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead, Number: 1}}, `the operation "HeadObject"`},
		"request of nothing":     {jobHead, []ipc.Message{&ipc.Attempt{Op: ipc.Op(text), Number: 1}}, "the operation"},
		"request 0":              {jobHead, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead}}, "attempt 0"},
		"request 2^40":           {jobHead, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead, Number: 1 << 40}}, "attempt 1099511627776"},
		"request below 0":        {jobRange, []ipc.Message{&ipc.Attempt{Op: ipc.OpGet, Number: 1, Offset: -1}}, "a range that there is not"},
		"request of -2":          {jobRange, []ipc.Message{&ipc.Attempt{Op: ipc.OpGet, Number: 1, Length: -2}}, "a range that there is not"},
		"body below 0":           {jobRange, []ipc.Message{&ipc.Attempt{Op: ipc.OpGet, Number: 1, Bytes: -1}}, "a body of -1 bytes"},
		"status 7":               {jobHead, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead, Number: 1, Status: 7}}, "a status 7"},
		"long request id":        {jobHead, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead, Number: 1, RequestID: text}}, "a text of 20480 bytes"},
		"long address":           {jobHead, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead, Number: 1, RemoteAddr: text}}, "a text of 20480 bytes"},
		"long error of one":      {jobHead, []ipc.Message{&ipc.Attempt{Op: ipc.OpHead, Number: 1, Err: &failure.Wire{Sentinels: make([]string, 100_000)}}}, "an error of 100000 bytes"},
		"long pause asked for":   {jobHead, []ipc.Message{&ipc.Retry{Attempt: 1, Asked: time.Hour, Kind: failure.KindOther}}, "a request for a pause of 1h0m0s"},
		"long pause":             {jobHead, []ipc.Message{&ipc.Retry{Attempt: 1, Wait: time.Hour, Kind: failure.KindOther}}, "a pause of 1h0m0s"},
		"long cause":             {jobHead, []ipc.Message{&ipc.Retry{Attempt: 1, Cause: text, Kind: failure.KindOther}}, "a text of 20480 bytes"},
		"long error":             {jobHead, []ipc.Message{&ipc.Result{Err: &failure.Wire{Sentinels: make([]string, 100_000)}}}, "an error of 100000 bytes"},
		"another answer":         {jobPlain, []ipc.Message{&ipc.Result{Head: &ipc.HeadResult{}}, &ipc.Result{Head: &ipc.HeadResult{}}}, "which it does not have"},
	} {
		if err := hear(c.job, c.say...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Nobody asks for attempts unless OnAttempt is set.
func TestCheckAttemptsNotAsked(t *testing.T) {
	var j Jobs
	j.Give(&jobHead)
	if _, err := j.Hear(0, &ipc.Attempt{Op: ipc.OpHead, Number: 1}); err == nil || !strings.Contains(err.Error(), "nobody asked") {
		t.Errorf("got %v", err)
	}
}

// A worker that talks without end is stopped, and a page without end, too.
func TestCheckFlood(t *testing.T) {
	var j Jobs
	j.Give(&jobRange)
	n := 0
	for ; n < 1_000_000; n++ {
		if _, err := j.Hear(0, &ipc.Progress{Written: 1}); err != nil {
			break
		}
	}
	if n < 1000 || n == 1_000_000 {
		t.Errorf("got %d messages", n)
	}
	var pages Jobs
	pages.Give(&jobList)
	entries := []ipc.Entry{{Key: append([]byte("p/"), make([]byte, 1<<20)...)}}
	for n = 0; n < 10_000; n++ {
		if _, err := pages.Hear(0, &ipc.Listed{Entries: entries}); err != nil {
			break
		}
	}
	if n*entries[0].FrameSize() < maxPage || n == 10_000 {
		t.Errorf("got %d MiB of keys", n)
	}
}

// A canceled job is late after a few looks, whatever is said of it.
func TestLate(t *testing.T) {
	var j Jobs
	j.Give(&ipc.Job{ID: 1, Get: &ipc.Get{Length: 5}})
	j.Give(&ipc.Job{ID: 2, Head: &ipc.Head{}})
	for range 3 * looks {
		if j.late() {
			t.Fatal("a job that is not canceled is late")
		}
	}
	j.Cancel(1)
	j.Cancel(9)
	for range looks {
		if _, err := j.Hear(1, &ipc.Progress{ID: 1, Written: 1}); err != nil || j.late() {
			t.Fatalf("late at once, %v", err)
		}
	}
	if !j.late() {
		t.Error("the canceled job is not late")
	}
	if _, err := j.Hear(1, &ipc.Result{ID: 1, Err: failure.Pack(failure.ErrCanceled)}); err != nil || j.late() {
		t.Errorf("late after its Result, %v", err)
	}
}

// Only a job that the worker was asked to give back, and of which it has not said a word, can have
// waited.
func TestCheckWaited(t *testing.T) {
	waited, retry := &ipc.Result{Waited: true}, &ipc.Retry{Attempt: 1, Kind: failure.KindOther}
	for _, c := range []struct {
		name     string
		recall   bool
		messages []ipc.Message
		ok       bool
	}{
		{"asked", true, []ipc.Message{waited}, true},
		{"not asked", false, []ipc.Message{waited}, false},
		{"after a word", true, []ipc.Message{retry, waited}, false},
		{"with an answer", true, []ipc.Message{&ipc.Result{Waited: true, Get: &ipc.GetResult{}}}, false},
		{"with an error", true, []ipc.Message{&ipc.Result{Waited: true, Err: failure.Pack(failure.ErrCanceled)}}, false},
	} {
		var j Jobs
		j.Give(&jobRange)
		if c.recall {
			j.Recall(0)
		}
		var err error
		for _, m := range c.messages {
			if err == nil {
				_, err = j.Hear(0, m)
			}
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
