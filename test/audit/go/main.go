// Reads what the ledger publishes of its log and verifies it with golang.org/x/mod/sumdb/note and tlog, which share no
// line with it. Usage: verify FOLDER, or verify URL of a ledger that runs. Of FOLDER: keys (verifier keys, a line each),
// checkpoint, proofs.json, log/tile/…. Prints "verified"; writes into FOLDER signed-by-go, a note, with key-of-go, the key to
// verify it with. Exits 1 where a thing is wrong.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type inclusion struct {
	Index, Size int64
	Hashes      string
}

type consistency struct {
	From, To int64
	Hashes   string
}

type proofs struct {
	Inclusion   []inclusion
	Consistency []consistency
}

func main() {
	from := os.Args[1]
	keys, checkpoint, given := "keys", "checkpoint", readProofs
	if isURL(from) {
		keys, checkpoint, given = "log/key", "log/checkpoint", askForProofs
	}
	text, size, root := openCheckpoint(read(from, keys), read(from, checkpoint))
	if size > 0 {
		checkTiles(from, size, root, given(from, size))
	}
	if !isURL(from) {
		sign(from, text)
	}
	fmt.Println("verified", size)
}

func openCheckpoint(keyLines, signed []byte) (string, int64, tlog.Hash) {
	var verifiers []note.Verifier
	keys := strings.Fields(string(keyLines))
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		must(err)
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	must(err)
	require(len(opened.Sigs) == len(keys) && len(opened.UnverifiedSigs) == 0, "not every key has signed")
	lines := strings.Split(opened.Text, "\n")
	require(len(lines) == 4 && lines[3] == "", "the checkpoint is not three lines")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return opened.Text, size, root
}

func readProofs(folder string, _ int64) (given proofs) {
	must(json.Unmarshal(read(folder, "proofs.json"), &given))
	return given
}

// askForProofs asks a ledger for proofs from and to the sizes around its tiles.
func askForProofs(url string, size int64) (given proofs) {
	for _, to := range []int64{1, 2, 3, 255, 256, 257, 300, 65535, 65536, size} {
		if to > size {
			continue
		}
		for _, from := range []int64{1, 2, 255, 256, 257, 65536, size} {
			if from > to {
				continue
			}
			in := ask(url, fmt.Sprintf("log/proof/inclusion?position=%d&size=%d", from, to))
			given.Inclusion = append(given.Inclusion, inclusion{Index: from - 1, Size: to, Hashes: in})
			grown := ask(url, fmt.Sprintf("log/proof/consistency?from=%d&to=%d", from, to))
			given.Consistency = append(given.Consistency, consistency{From: from, To: to, Hashes: grown})
		}
	}
	return given
}

func ask(url, path string) string {
	var answer struct{ Proof [][]byte }
	must(json.Unmarshal(read(url, path), &answer))
	return base64.StdEncoding.EncodeToString(bytes.Join(answer.Proof, nil))
}

// tiles reads tiles; a path has no height in C2SP tlog-tiles.
type tiles struct{ from string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "log/tile/", 1)
		data = append(data, read(t.from, path))
	}
	return data, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func checkTiles(from string, size int64, root tlog.Hash, given proofs) {
	// Checks each tile that it reads against the root.
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{from})
	rootOf := func(size int64) tlog.Hash {
		hash, err := tlog.TreeHash(size, reader)
		must(err)
		return hash
	}
	leavesFrom := func(first, count int64) []tlog.Hash {
		var indexes []int64
		for i := first; i < first+count; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, i))
		}
		hashes, err := reader.ReadHashes(indexes)
		must(err)
		return hashes
	}
	require(rootOf(size) == root, "the tiles have another root")
	for _, proof := range given.Inclusion {
		ours := hashesOf(proof.Hashes)
		must(tlog.CheckRecord(ours, proof.Size, rootOf(proof.Size), proof.Index, leavesFrom(proof.Index, 1)[0]))
		theirs, err := tlog.ProveRecord(proof.Size, proof.Index, reader)
		must(err)
		require(fmt.Sprint(theirs) == fmt.Sprint(tlog.RecordProof(ours)), "another inclusion proof")
	}
	for _, proof := range given.Consistency {
		ours := hashesOf(proof.Hashes)
		must(tlog.CheckTree(ours, proof.To, rootOf(proof.To), proof.From, rootOf(proof.From)))
		theirs, err := tlog.ProveTree(proof.To, proof.From, reader)
		must(err)
		require(fmt.Sprint(theirs) == fmt.Sprint(tlog.TreeProof(ours)), "another consistency proof")
	}
	for first := int64(0); first < size; first += 1 << height {
		checkEntries(from, first, size, leavesFrom)
	}
}

// checkEntries compares a bundle with the leaf hashes of its tile.
func checkEntries(from string, first, size int64, leavesFrom func(first, count int64) []tlog.Hash) {
	width := size - first
	if width > 1<<height {
		width = 1 << height
	}
	tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(width)}
	bundle := read(from, strings.Replace(tile.Path(), "tile/8/0/", "log/tile/entries/", 1))
	for _, hash := range leavesFrom(first, width) {
		require(len(bundle) >= 2, "the bundle is too short")
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		require(len(bundle) >= end, "the bundle is too short")
		require(json.Valid(bundle[2:end]), "a leaf is not JSON")
		require(tlog.RecordHash(bundle[2:end]) == hash, "an entry has another hash")
		bundle = bundle[end:]
	}
	require(len(bundle) == 0, "the bundle is too long")
}

func sign(folder, text string) {
	secret, public, err := note.GenerateKey(rand.Reader, "go.example/key")
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(err)
	must(os.WriteFile(filepath.Join(folder, "signed-by-go"), signed, 0o644))
	must(os.WriteFile(filepath.Join(folder, "key-of-go"), []byte(public+"\n"+secret+"\n"), 0o644))
}

func hashesOf(encoded string) []tlog.Hash {
	data, err := base64.StdEncoding.DecodeString(encoded)
	must(err)
	hashes := make([]tlog.Hash, len(data)/tlog.HashSize)
	must(binary.Read(bytes.NewReader(data), binary.BigEndian, hashes))
	return hashes
}

func isURL(from string) bool { return strings.HasPrefix(from, "http://") }

func read(from, path string) []byte {
	if !isURL(from) {
		data, err := os.ReadFile(filepath.Join(from, path))
		must(err)
		return data
	}
	answer, err := http.Get(from + "/" + path)
	must(err)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	must(err)
	require(answer.StatusCode == http.StatusOK, fmt.Sprint(path, ": ", answer.Status, " ", string(data)))
	return data
}

func must(err error) {
	require(err == nil, fmt.Sprint(err))
}

func require(holds bool, what string) {
	if !holds {
		fmt.Fprintln(os.Stderr, what)
		os.Exit(1)
	}
}
