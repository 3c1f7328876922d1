package list

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string][2]string{
		"s3://b":            {"b"},
		"s3://b/a b?c#d%20": {"b", "a b?c#d%20"},
		"s3://b//k":         {"b", "/k"},
		"s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/k/l": {
			"arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", "k/l"},
	} {
		if bucket, key, err := ParseURL(text); bucket != want[0] || key != want[1] || err != nil {
			t.Errorf("%s: got %q, %q, %v, want %q", text, bucket, key, err, want)
		}
	}
	if _, _, err := ParseURL("s3:///k"); err == nil {
		t.Error("no bucket: got no error")
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "  ": "", "a b": "a|b", `"a b" c`: "a b|c", `a\ b`: "a b", `'a"\' "b'"`: `a"\|b'`, "a#b #c": "a#b", "#a": "", `"" x`: "|x", `\"a`: `"a`,
	} {
		words, err := split(line)
		if got := strings.Join(words, "|"); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", line, got, err, want)
		}
	}
	in := bufio.NewReader(strings.NewReader(strings.Repeat("x", maxLine+1)))
	if _, err := readLine(in); err == nil || err == io.EOF {
		t.Errorf("a long line: got %v", err)
	}
}

// FuzzList reads any list without a panic, and no entry without a bucket or a key.
func FuzzList(f *testing.F) {
	f.Add("s3://b/k file")
	f.Add(`{"bucket":"b","key":"k"}`)
	f.Add(`"b","k"`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []string{"lines", "jsonl", "csv"} {
			r, err := New(bufio.NewReader(strings.NewReader(text)), Options{Format: format})
			for err == nil {
				var it Item
				if it, err = r.Next(); err == nil && it.Skip == "" && (it.Bucket == "" || it.Key == "") {
					t.Errorf("%s: got %+v", format, it)
				}
			}
		}
	})
}
