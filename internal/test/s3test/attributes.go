package s3test

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

type attributesXML struct {
	XMLName      xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string        `xml:",omitempty"`
	Checksum     *checksumXML  `xml:",omitempty"`
	ObjectParts  *objectPartsX `xml:",omitempty"`
	StorageClass string        `xml:",omitempty"`
	ObjectSize   *int64        `xml:",omitempty"`
}

type checksumXML struct {
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumXXHASH64  string `xml:",omitempty"`
	ChecksumXXHASH3   string `xml:",omitempty"`
	ChecksumXXHASH128 string `xml:",omitempty"`
	ChecksumMD5       string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumSHA512    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

type objectPartsX struct {
	PartsCount           int
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Part                 []partXML
}

type partXML struct {
	checksumXML
	PartNumber int
	Size       int64
}

func newChecksumXML(sums map[string]string) checksumXML {
	return checksumXML{
		ChecksumCRC64NVME: sums["crc64nvme"],
		ChecksumCRC32C:    sums["crc32c"],
		ChecksumCRC32:     sums["crc32"],
		ChecksumXXHASH64:  sums["xxhash64"],
		ChecksumXXHASH3:   sums["xxhash3"],
		ChecksumXXHASH128: sums["xxhash128"],
		ChecksumMD5:       sums["md5"],
		ChecksumSHA1:      sums["sha1"],
		ChecksumSHA256:    sums["sha256"],
		ChecksumSHA512:    sums["sha512"],
	}
}

// attributes answers GetObjectAttributes.
func (x *exchange) attributes() {
	h := x.w.Header()
	o, versioned, e := x.s.store.find(x.req.Bucket, x.req.Key, x.req.VersionID)
	if o != nil && versioned {
		h.Set("X-Amz-Version-Id", o.version())
	}
	if o != nil && o.deleteMarker {
		h.Set("X-Amz-Delete-Marker", "true")
	}
	if e == nil {
		e = x.customerKey(o)
	}
	if e != nil {
		x.fail(e)
		return
	}
	wanted := strings.Join(x.req.Header.Values("X-Amz-Object-Attributes"), ",")
	if wanted == "" {
		x.fail(errInvalidArg.with("The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"))
		return
	}
	var out attributesXML
	for name := range strings.SplitSeq(wanted, ",") {
		switch strings.TrimSpace(name) {
		case "ETag":
			out.ETag = strings.Trim(o.ETag, `"`) // S3 sends it without quotes here
		case "Checksum":
			if len(o.Checksums) > 0 && !x.s.opts.ETagOnly {
				sums := newChecksumXML(o.Checksums)
				sums.ChecksumType = o.ChecksumType
				out.Checksum = &sums
			}
		case "ObjectParts":
			if out.ObjectParts, e = x.objectParts(o); e != nil {
				x.fail(e)
				return
			}
		case "StorageClass":
			out.StorageClass = cmp.Or(o.StorageClass, "STANDARD")
		case "ObjectSize":
			out.ObjectSize = &o.Size
		default:
			x.fail(errInvalidArg.with("Invalid attribute name specified."))
			return
		}
	}
	h.Set("Last-Modified", o.LastModified.UTC().Format(http.TimeFormat))
	x.xml(http.StatusOK, out)
}

// objectParts lists the parts of a multipart upload. S3 lists the individual parts only if the
// object has checksums.
func (x *exchange) objectParts(o *Object) (*objectPartsX, *apiError) {
	if o.Parts == nil {
		return nil, nil
	}
	marker, ok1 := x.intHeader("X-Amz-Part-Number-Marker", 0)
	maxParts, ok2 := x.intHeader("X-Amz-Max-Parts", 1000)
	if !ok1 || !ok2 {
		return nil, errInvalidArg
	}
	maxParts = min(maxParts, 1000)
	out := &objectPartsX{PartsCount: len(o.Parts), PartNumberMarker: marker, MaxParts: maxParts}
	if len(o.Checksums) == 0 || x.s.opts.ETagOnly {
		return out, nil
	}
	for n := marker + 1; n <= len(o.Parts); n++ {
		if len(out.Part) == maxParts {
			out.IsTruncated = true
			break
		}
		out.Part = append(out.Part, partXML{newChecksumXML(o.partChecksums(n)), n, o.Parts[n-1]})
		out.NextPartNumberMarker = n
	}
	return out, nil
}

func (x *exchange) intHeader(name string, missing int) (int, bool) {
	v := x.req.Header.Get(name)
	if v == "" {
		return missing, true
	}
	n, err := strconv.Atoi(v)
	return n, err == nil && n >= 0
}
