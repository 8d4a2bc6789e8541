// SPDX-License-Identifier: Apache-2.0

// Package tap prints the Test Anything Protocol, version 13 (https://testanything.org/tap-version-13-specification.html).
// It stands in for a package that the validation programs import and Debian does not carry: what they call, and no more.
// A diagnostic of YAML is printed as JSON, which is YAML too.
package tap

import (
	"encoding/json"
	"fmt"
	"strings"
)

// T counts the results of one program.
type T struct {
	count     *int
	directive string
}

// New begins a result.
func New() *T { return &T{count: new(int)} }

// Todo is a T whose results are expected to be bad.
func (t *T) Todo() *T { return &T{t.count, " # TODO"} }

// Header prints the version, and the plan unless count is 0: then AutoPlan follows at the end.
func (t *T) Header(count int) {
	fmt.Println("TAP version 13")
	if count > 0 {
		fmt.Printf("1..%d\n", count)
	}
}

// AutoPlan prints the plan from what was counted.
func (t *T) AutoPlan() { fmt.Printf("1..%d\n", *t.count) }

// Ok prints one result.
func (t *T) Ok(good bool, description string) {
	*t.count++
	word := "ok"
	if !good {
		word = "not ok"
	}
	fmt.Printf("%s %d - %s%s\n", word, *t.count, description, t.directive)
}

// Pass prints a good result.
func (t *T) Pass(description string) { t.Ok(true, description) }

// Fail prints a bad result.
func (t *T) Fail(description string) { t.Ok(false, description) }

// Skip prints that count tests are left out, and why.
func (t *T) Skip(count int, reason string) {
	for ; count > 0; count-- {
		*t.count++
		fmt.Printf("ok %d # SKIP %s\n", *t.count, reason)
	}
}

// Diagnostic prints lines for people.
func (t *T) Diagnostic(text string) {
	fmt.Println("# " + strings.ReplaceAll(text, "\n", "\n# "))
}

// Diagnosticf is Diagnostic with a format.
func (t *T) Diagnosticf(format string, values ...interface{}) {
	t.Diagnostic(fmt.Sprintf(format, values...))
}

// YAML prints data that belongs to the last result.
func (t *T) YAML(data interface{}) error {
	text, err := json.MarshalIndent(data, "  ", "  ")
	if err == nil {
		fmt.Printf("  ---\n  %s\n  ...\n", text)
	}
	return err
}
