package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// update has tests write the files that are generated: go test -update.
var update = flag.Bool("update", false, "write the generated files")

// kinds are the events, by their names.
var kinds = map[string]any{
	"file": fileEvent{}, "error": errorEvent{}, "summary": summaryEvent{}, "progress": progressEvent{}, "skip": skipEvent{},
	"plan": planEvent{}, "delete": deleteEvent{}, "object": objectEvent{}, "prefix": prefixEvent{}, "total": totalEvent{},
}

// comments returns the comments of the fields of the structs in a file, by "type.Field".
func comments(t *testing.T, files ...string) map[string]string {
	texts := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if fields, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range fields.Fields.List {
					for _, name := range field.Names {
						texts[spec.Name.Name+"."+name.Name] = strings.TrimSpace(field.Comment.Text())
					}
				}
			}
			return false
		})
	}
	return texts
}

// schemaOf returns the JSON Schema of a type.
func schemaOf(typ reflect.Type, texts map[string]string) map[string]any {
	switch typ.Kind() {
	case reflect.Pointer:
		return schemaOf(typ.Elem(), texts)
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(typ.Elem(), texts)}
	}
	if typ == reflect.TypeFor[time.Time]() {
		return map[string]any{"type": "string", "format": "date-time"}
	}
	properties, required := map[string]any{}, []string{}
	for field := range typ.Fields() {
		name, omit, _ := strings.Cut(field.Tag.Get("json"), ",")
		one := schemaOf(field.Type, texts)
		text := texts[typ.Name()+"."+field.Name]
		if value, isName := strings.CutPrefix(text, `"`); name == "event" && isName {
			one["const"] = strings.TrimSuffix(value, `"`)
		} else if text != "" {
			one["description"] = text
		}
		properties[name] = one
		if omit == "" {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

// events.schema.json documents the events as they are.
func TestSchema(t *testing.T) {
	leak.Check(t)
	texts := comments(t, "event.go", "stats.go")
	definitions, all := map[string]any{}, []any{}
	for _, name := range []string{"file", "skip", "error", "progress", "plan", "delete", "object", "prefix", "total", "summary"} {
		one := schemaOf(reflect.TypeOf(kinds[name]), texts)
		if got := one["properties"].(map[string]any)["event"].(map[string]any)["const"]; got != name {
			t.Errorf("the event %s is %v in its comment", name, got)
		}
		definitions[name] = one
		all = append(all, map[string]any{"$ref": "#/$defs/" + name})
	}
	want, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "an event of s3get --json", "anyOf": all, "$defs": definitions,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	wantGenerated(t, "events.schema.json", append(want, '\n'))
}

// wantGenerated compares a file with what it is generated to be.
func wantGenerated(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Errorf("%s is not up to date, %v: run go test -update in cmd/s3get", name, err)
	}
}

// wantSchema fails unless each line is an event of the schema: its fields are those of its type, and
// none that must be there is missing.
func wantSchema(t *testing.T, stdout string) {
	t.Helper()
	for line := range strings.Lines(stdout) {
		var is struct{ Event string }
		if err := json.Unmarshal([]byte(line), &is); err != nil || kinds[is.Event] == nil {
			t.Errorf("%q: no event of the schema, %v", line, err)
			continue
		}
		event := reflect.New(reflect.TypeOf(kinds[is.Event]))
		strict := json.NewDecoder(strings.NewReader(line))
		strict.DisallowUnknownFields()
		if err := strict.Decode(event.Interface()); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		for _, name := range schemaOf(event.Type().Elem(), nil)["required"].([]string) {
			if !regexp.MustCompile(`"` + name + `":`).MatchString(line) {
				t.Errorf("%q has no %s", line, name)
			}
		}
	}
}

// The README lists each event.
func TestEventsAreDocumented(t *testing.T) {
	leak.Check(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range kinds {
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("README.md does not have the event %s", name)
		}
	}
}
