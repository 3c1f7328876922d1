package s3test

import (
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type listXML struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []listedXML
	CommonPrefixes        []prefixXML
}

type listedXML struct {
	Key               string
	LastModified      string
	ETag              string   `xml:",omitempty"`
	ChecksumAlgorithm []string `xml:",omitempty"`
	ChecksumType      string   `xml:",omitempty"`
	Size              int64
	StorageClass      string
}

type prefixXML struct{ Prefix string }

// list answers ListObjectsV2.
func (x *exchange) list() {
	q := x.req.Query
	maxKeys := cmp.Or(x.s.opts.PageSize, 1000)
	if v := q.Get("max-keys"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			x.fail(errInvalidArg.with("Argument maxKeys must be an integer between 0 and 2147483647"))
			return
		}
		maxKeys = min(n, maxKeys)
	}
	at := cursor{key: q.Get("start-after")}
	if token := q.Get("continuation-token"); token != "" {
		var ok bool
		if at, ok = parseCursor(token); !ok {
			x.fail(errInvalidArg.with("The continuation token provided is incorrect"))
			return
		}
	}
	encode := func(s string) string { return s }
	if q.Get("encoding-type") == "url" {
		encode = func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }
	}
	prefix, delimiter := q.Get("prefix"), q.Get("delimiter")
	out := listXML{
		Name:              x.req.Bucket,
		Prefix:            encode(prefix),
		StartAfter:        encode(q.Get("start-after")),
		ContinuationToken: q.Get("continuation-token"),
		MaxKeys:           maxKeys,
		Delimiter:         encode(delimiter),
		EncodingType:      q.Get("encoding-type"),
	}
	for _, o := range x.s.store.objects(x.req.Bucket, max(prefix, at.key)) {
		if !strings.HasPrefix(o.Key, prefix) || maxKeys == 0 {
			break
		}
		if !at.before(o.Key) {
			continue
		}
		if out.KeyCount == maxKeys {
			out.IsTruncated = true
			out.NextContinuationToken = at.token()
			break
		}
		out.KeyCount++
		at = cursor{key: o.Key}
		if delimiter != "" {
			if i := strings.Index(o.Key[len(prefix):], delimiter); i >= 0 {
				at = cursor{key: o.Key[:len(prefix)+i+len(delimiter)], common: true}
				out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{encode(at.key)})
				continue
			}
		}
		out.Contents = append(out.Contents, x.listed(o, encode))
	}
	x.xml(http.StatusOK, out)
}

func (x *exchange) listed(o *Object, encode func(string) string) listedXML {
	item := listedXML{
		Key:          encode(o.Key),
		LastModified: o.LastModified.UTC().Format("2006-01-02T15:04:05.000Z"),
		ETag:         o.ETag,
		Size:         o.Size,
		StorageClass: cmp.Or(o.StorageClass, "STANDARD"),
	}
	if !x.s.opts.ETagOnly {
		for alg := range o.Checksums {
			item.ChecksumAlgorithm = append(item.ChecksumAlgorithm, strings.ToUpper(alg))
			item.ChecksumType = o.ChecksumType
		}
	}
	return item
}

// cursor is the position at which a listing continues: after a key, or after all keys with a common
// prefix.
type cursor struct {
	key    string
	common bool
}

func (c cursor) before(key string) bool {
	return key > c.key && !(c.common && strings.HasPrefix(key, c.key))
}

func (c cursor) token() string {
	kind := "k"
	if c.common {
		kind = "p"
	}
	return base64.StdEncoding.EncodeToString([]byte(kind + c.key))
}

func parseCursor(token string) (cursor, bool) {
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(b) == 0 || b[0] != 'k' && b[0] != 'p' {
		return cursor{}, false
	}
	return cursor{key: string(b[1:]), common: b[0] == 'p'}, true
}
