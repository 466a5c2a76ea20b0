// Checks Beholden's proofs with Go's own checksum-database packages, golang.org/x/mod/sumdb/{note,tlog}.
//
//	go mod init check && go get golang.org/x/mod    (Debian: apt-get install golang-golang-x-mod-dev, GO111MODULE=off)
//	go run check.go KEY.pub FILE.tlog-proof ...
//	go run check.go KEY.pub --since OLD FILE        a consistency proof, from the checkpoint OLD that you kept
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type head struct {
	size int64
	root tlog.Hash
	name string
}

func openCheckpoint(text, key string) (head, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return head{}, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return head{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return head{}, errors.New("not a tree head of this ledger")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return head{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return head{size, root, verifier.Name()}, err
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	found := []tlog.Hash{}
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		found = append(found, hash)
	}
	return found, nil
}

func checkProof(text, key string) (string, error) {
	before, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(before, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") ||
		!strings.HasPrefix(lines[2], "index ") {
		return "", errors.New("not a tlog-proof")
	}
	record, err := base64.StdEncoding.DecodeString(lines[1][6:])
	if err != nil {
		return "", err
	}
	seq, err := strconv.ParseInt(lines[2][6:], 10, 64)
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(checkpoint, key)
	if err != nil {
		return "", err
	}
	path, err := parseHashes(lines[3:])
	if err != nil {
		return "", err
	}
	if err := tlog.CheckRecord(path, tree.size, tree.root, seq, tlog.RecordHash(record)); err != nil {
		return "", err
	}
	return fmt.Sprintf("event %d is among the %d under a tree head signed by %s", seq, tree.size, tree.name), nil
}

func checkConsistency(old, text, key string) (string, error) {
	before, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(before, "\n")
	first, err := openCheckpoint(old, key)
	if err != nil {
		return "", err
	}
	second, err := openCheckpoint(checkpoint, key)
	if err != nil {
		return "", err
	}
	if lines[0] != fmt.Sprintf("old %d", first.size) {
		return "", errors.New("a proof from another size")
	}
	path, err := parseHashes(lines[1:])
	if err != nil {
		return "", err
	}
	if err := tlog.CheckTree(path, second.size, second.root, first.size, first.root); err != nil {
		return "", err
	}
	return fmt.Sprintf("the tree head of %d events signed by %s continues that of %d", second.size, second.name, first.size), nil
}

func read(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return string(data)
}

func main() {
	key, files, old, since := read(os.Args[1]), os.Args[2:], "", false
	if files[0] == "--since" {
		old, files, since = read(files[1]), files[2:], true
	}
	code := 0
	for _, file := range files {
		said, err := "", error(nil)
		if since {
			said, err = checkConsistency(old, read(file), key)
		} else {
			said, err = checkProof(read(file), key)
		}
		if err != nil {
			said, code = "REFUSED: "+err.Error(), 1
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", file, said)
	}
	os.Exit(code)
}
