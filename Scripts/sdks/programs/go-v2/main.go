// The program of the AWS SDK for Go v2: `main walk [SIZE]` or `main create NAME`, see ../../kits.py.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http"
)

type answer struct {
	Version  string     `json:"version"`
	Machines [][]string `json:"machines"`
	Statuses []string   `json:"statuses"`
	Error    string     `json:"error"`
}

func main() {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	client := sfn.NewFromConfig(settings, sfn.WithEndpointResolver(sfn.EndpointResolverFromURL(os.Getenv("ENDPOINT"))))
	answer := answer{Version: aws.SDKVersion}
	var known smithy.APIError
	if err = run(client, &answer); errors.As(err, &known) {
		answer.Error = known.ErrorCode()
	} else if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(answer)
}

func run(client *sfn.Client, answer *answer) error {
	if os.Args[1] == "create" {
		_, err := client.CreateStateMachine(context.Background(), &sfn.CreateStateMachineInput{
			Name:       aws.String(os.Args[2]),
			Definition: aws.String(os.Getenv("DEFINITION")),
			RoleArn:    aws.String(os.Getenv("ROLE")),
		})
		return err
	}
	input := &sfn.ListStateMachinesInput{}
	if len(os.Args) > 2 {
		size, err := strconv.ParseInt(os.Args[2], 10, 32)
		if err != nil {
			return err
		}
		input.MaxResults = int32(size)
	}
	pages := sfn.NewListStateMachinesPaginator(client, input)
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return err
		}
		raw, _ := middleware.GetRawResponse(page.ResultMetadata).(*http.Response)
		answer.Statuses = append(answer.Statuses, raw.Header.Get("Cache-Status"))
		for _, each := range page.StateMachines {
			answer.Machines = append(answer.Machines, []string{
				aws.ToString(each.Name), aws.ToString(each.StateMachineArn), string(each.Type),
				aws.ToTime(each.CreationDate).UTC().String(),
			})
		}
	}
	return nil
}
