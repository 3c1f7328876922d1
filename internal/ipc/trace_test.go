package ipc

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/settings"
)

// shown are the text fields that a description may show. A field that is not listed here must not
// appear, so that a new field is hidden until someone decides otherwise.
var shown = map[string]bool{
	"Setup.Settings.Client.Region":        true,
	"Job.Bucket":                          true,
	"Connect.Bucket":                      true,
	"Job.Key":                             true,
	"Job.Args.VersionID":                  true,
	"Job.Get.ETag":                        true,
	"Job.Get.Checksum":                    true,
	"Job.Get.Record":                      true,
	"Job.Get.Also":                        true,
	"Job.Parts.ETag":                      true,
	"Job.List.Prefix":                     true,
	"Job.List.Delimiter":                  true,
	"Job.Read.Checksum":                   true,
	"Job.Read.Record":                     true,
	"Job.Read.Also":                       true,
	"Found.Object.ETag":                   true,
	"Found.Object.VersionID":              true,
	"Found.Object.Stored.Algorithm":       true,
	"Found.Object.Stored.Kind":            true,
	"Found.Chosen.Algorithm":              true,
	"Found.Chosen.Kind":                   true,
	"Retry.Cause":                         true,
	"Retry.Request":                       true,
	"Retry.Kind":                          true,
	"Result.Request":                      true,
	"Result.Err.Text":                     true,
	"Result.Head.Object.ETag":             true,
	"Result.Head.Object.VersionID":        true,
	"Result.Head.Object.Stored.Algorithm": true,
	"Result.Head.Object.Stored.Kind":      true,
	"Result.Get.Chosen.Algorithm":         true,
	"Result.Get.Chosen.Kind":              true,
	"Attempt.Op":                          true,
	"Attempt.RequestID":                   true,
	"Attempt.RemoteAddr":                  true,
	"Attempt.Err.Text":                    true,
	"Credentials.Source":                  true,
	"Credentials.Err":                     true,
}

// payloads are the fields of which a message sets one.
var payloads = map[string]bool{
	"Job.Head": true, "Job.Get": true, "Job.Parts": true, "Job.List": true, "Job.Read": true,
	"Result.Head": true, "Result.Get": true, "Result.Parts": true, "Result.List": true, "Result.Read": true,
	"Result.Err": true, "Credentials.Err": true,
}

// marker is the text that fill puts into the field of that name. It would end the line, too.
func marker(field string) string { return "<" + field + ">\n" }

// fill sets each text below v to the marker of its field and notes the field, and everything else
// to a value that is not zero. Of the payloads it sets the one named only.
func fill(v reflect.Value, name, only string, noted map[string]bool) {
	if payloads[name] && name != only {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(marker(name))
		noted[name] = true
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, only, noted)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(marker(name)))
			noted[name] = true
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name, only, noted)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(marker(name)), reflect.ValueOf(marker(name)))
		noted[name] = true
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), name+"."+f.Name, only, noted)
			}
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(3)
	default:
		panic(fmt.Sprintf("%s is a %v", name, v.Kind()))
	}
}

// TestDescribeHidesSecrets fills every text of every message and looks for what a description
// shows.
func TestDescribeHidesSecrets(t *testing.T) {
	seen := map[string]bool{}
	for k := kind(1); newMessage(k) != nil; k++ {
		typeName := reflect.TypeOf(newMessage(k)).Elem().Name()
		variants := []string{""}
		for name := range payloads {
			if strings.HasPrefix(name, typeName+".") {
				variants = append(variants, name)
			}
		}
		for _, only := range variants {
			m, noted := newMessage(k), map[string]bool{}
			fill(reflect.ValueOf(m).Elem(), typeName, only, noted)
			if r, ok := m.(*Result); ok && r.Get != nil {
				r.Get.Unsuited = false
			}
			line := Describe(m)
			if !strings.HasPrefix(line, typeName) || strings.ContainsAny(line, "\n\r") {
				t.Errorf("%T: got %q, want one line that begins with the kind", m, line)
			}
			for name := range noted {
				if !strings.Contains(line, "<"+name+">") {
					continue
				}
				seen[name] = true
				if !shown[name] {
					t.Errorf("%T: %s is shown in %q", m, name, line)
				}
			}
		}
	}
	for name := range shown {
		if !seen[name] {
			t.Errorf("no description shows %s: remove it from the list", name)
		}
	}
}

func TestDescribeHidesEndpointSecrets(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://user:secret@host:9000/secret?secret=secret#secret": "endpoint https://host:9000 ",
		"https://user:secret@[::1]:9000":                            "endpoint https://[::1]:9000 ",
		"http://localhost:9000":                                     "endpoint http://localhost:9000 ",
		"secret":                                                    "endpoint unreadable ",
		"https://secret secret@host":                                "endpoint unreadable ",
	} {
		line := Describe(&Setup{Settings: settings.Settings{Client: settings.Client{BaseEndpoint: &endpoint}}})
		if strings.Contains(line, "secret") || !strings.Contains(line, want) {
			t.Errorf("%s: got %q, want %q", endpoint, line, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	stored := checksum.Stored{Algorithm: checksum.CRC64NVME, Kind: checksum.FullObject, Value: "AAAAAAAAAAA="}
	found := Object{Size: 10, ETag: `"e"`, VersionID: "v", Stored: []checksum.Stored{stored}}
	for _, c := range []struct {
		m    Message
		want string
	}{
		{&Hello{Version: 2, PID: 4711}, "Hello version 2 pid 4711"},
		{&Setup{Version: 2, Settings: settings.Settings{
			Client: settings.Client{Region: "us-east-1", BaseEndpoint: aws.String("http://localhost:9000"), Anonymous: true},
			Seat:   1, Slots: 2, MaxAttempts: 5, RetryTimeout: time.Minute, StallTimeout: 20 * time.Second, CABundle: make([]byte, 1000),
		}}, "Setup version 2 region us-east-1 endpoint http://localhost:9000 anonymous seat 1 slots 2 attempts 5 retry timeout 1m0s stall timeout 20s CA bundle of 1000 bytes"},
		{&Ready{}, "Ready"},
		{&Job{ID: 1, Bucket: "b", Key: "k", Head: &Head{Layout: true}}, "Job 1 HeadObject s3://b/k with layout"},
		{&Job{ID: 12, Bucket: "b", Key: "k", Get: &Get{
			ETag: `"e"`, Size: 20 << 20, Length: 8 << 20, Checksum: checksum.CRC64NVME, Record: checksum.CRC32C, WriteBack: true,
		}}, `Job 12 GetObject s3://b/k bytes 0-8388607 of 20971520 etag "e" CRC64NVME record CRC32C write back`},
		{&Job{ID: 2, Bucket: "b", Key: "a key", Args: Args{VersionID: "v", SSECustomerKey: "secret"}, Get: &Get{
			Size: SizeUnknown, Length: SizeUnknown, Whole: true, Unconfirmed: true, Limit: 100, Choose: true, OneRange: true,
		}}, `Job 2 GetObject "s3://b/a key" whole of unknown size unconfirmed limit 100 choose one range version v SSE-C`},
		{&Job{ID: 1, Bucket: "b", Key: "k", Head: &Head{Range: &Range{Offset: 5, Length: 6}}}, "Job 1 HeadObject s3://b/k of the range 5+6"},
		{&Job{ID: 3, Bucket: "b", Key: "k", Get: &Get{Size: 20, Offset: 7, Length: 4, Base: 5}}, "Job 3 GetObject s3://b/k bytes 7-10 of 20 to 2"},
		{&Job{ID: 3, Bucket: "b", Key: "k", Get: &Get{Whole: true}}, "Job 3 GetObject s3://b/k whole no bytes of 0"},
		{&Job{ID: 4, Bucket: "b", Key: "k", Parts: &Parts{Size: 9, ETag: `"e-2"`}}, `Job 4 GetObjectAttributes s3://b/k of 9 bytes etag "e-2"`},
		{&Job{ID: 5, Bucket: "b", List: &List{Prefix: "p/", Delimiter: "/", Token: "t"}}, `Job 5 ListObjectsV2 s3://b/ prefix "p/" delimiter "/" continued`},
		{&Job{ID: 6, Bucket: "b", Key: "k", Read: &Read{Offset: 5, Length: 5, Checksum: checksum.SHA256}}, "Job 6 Read s3://b/k bytes 5-9 SHA256"},
		{&Job{ID: 7}, "Job 7 without one payload"},
		{&Cancel{ID: 8}, "Cancel 8"},
		{&Cancel{ID: 8, Waiting: true}, "Cancel 8 if it waits"},
		{&Result{ID: 8, Waited: true}, "Result 8 had not begun"},
		{&Found{ID: 9, Object: found, Chosen: &stored}, `Found 9 10 bytes etag "e" version v stored "CRC64NVME full object" chosen "CRC64NVME full object"`},
		{&Progress{ID: 10, Written: 1 << 20}, "Progress 10 1048576 bytes written"},
		{&Retry{ID: 11, Attempt: 3, Wait: time.Second, Cause: "broke\noff", Request: "R", Kind: failure.KindConnection},
			`Retry 11 attempt 3 failed (connection), wait 1s: "broke\noff" request R`},
		{&Result{ID: 1, Head: &HeadResult{Object: Object{Size: 10, Encrypted: true}}}, "Result 1 HeadObject 10 bytes encrypted"},
		{&Result{ID: 2, Request: "R", Get: &GetResult{Written: 5, Chosen: &stored}},
			`Result 2 GetObject 5 bytes written chosen "CRC64NVME full object" request R`},
		{&Result{ID: 3, Get: &GetResult{Unsuited: true}}, "Result 3 GetObject unsuited"},
		{&Result{ID: 4, Parts: &PartsResult{}}, "Result 4 GetObjectAttributes 0 parts"},
		{&Result{ID: 5, List: &Page{Entries: make([]Entry, 1000), Next: "t"}}, "Result 5 ListObjectsV2 1000 keys and more"},
		{&Result{ID: 6, Read: &ReadResult{}}, "Result 6 Read"},
		{&Result{ID: 7, Err: failure.Pack(failure.ErrStalled)}, `Result 7 error "` + failure.ErrStalled.Error() + `"`},
		{&Ask{}, "Ask for credentials"},
		{&Ask{RefusedKey: "AKID", RefusedToken: "token"}, "Ask for credentials, the last were refused"},
		{&Credentials{AccessKeyID: "AKID", SecretAccessKey: "s", Source: "EC2RoleProvider", CanExpire: true}, "Credentials from EC2RoleProvider, can expire"},
		{&Credentials{Err: "no role"}, `Credentials error "no role"`},
		{&Ping{}, "Ping"},
		{&Pong{}, "Pong"},
		{&Stop{}, "Stop"},
		{&Handle{Number: 7}, "Handle 7"},
		{&Listed{ID: 5, Entries: make([]Entry, 4000)}, "Listed 5 4000 keys"},
	} {
		if got := Describe(c.m); got != c.want {
			t.Errorf("%T:\ngot  %s\nwant %s", c.m, got, c.want)
		}
	}
}
