module example.com/go-producer

go 1.19
