package answer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Limits of the shape of a document. In memory an element without content takes 30 times its bytes,
// so that a limit of the bytes alone is no limit of the memory.
const (
	maxPlain    = 1 << 20 // bytes of a document whose shape does not matter
	maxToken    = 1 << 20 // bytes of a text, or of another token
	maxChildren = 250_000 // of the root: entries of a page
	maxDepth    = 32      // of elements: a listing has 4
)

// checkShape reads a document of more than maxPlain bytes once before the SDK does. What is wrong
// with it besides is for the SDK to find.
func checkShape(response *smithyhttp.Response, operation string) error {
	original := response.Body
	var read bytes.Buffer
	response.Body = &replay{Reader: io.MultiReader(&read, original), Closer: original}
	if n, err := io.CopyN(&read, original, maxPlain+1); n <= maxPlain {
		if err == io.EOF {
			return nil
		}
		return err
	}
	begin := bytes.NewReader(bytes.Clone(read.Bytes()))
	source := &io.LimitedReader{R: io.MultiReader(begin, io.TeeReader(original, &read))}
	// RawToken keeps no stack of the elements.
	decoder := xml.NewDecoder(source)
	depth, children := 0, 0
	for {
		source.N = maxToken
		token, err := decoder.RawToken()
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth == 2 {
				children++
			}
		case xml.EndElement:
			depth--
		}
		var syntax *xml.SyntaxError
		switch {
		case children > maxChildren:
			return untrusted("%s: the body has more than %d entries", operation, maxChildren)
		case depth > maxDepth:
			return untrusted("%s: the elements of the body are nested too deep", operation)
		case source.N == 0:
			return untrusted("%s: an element of the body has more than %d MiB", operation, maxToken>>20)
		case err == io.EOF, errors.As(err, &syntax):
			return nil
		case err != nil:
			return err
		}
	}
}
