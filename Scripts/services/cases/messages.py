"""Services of queues, streams, events and logs."""

import json

QUEUE = "http://127.0.0.1/123456789012/queue-"

SQS = {
    "makes": [
        ("CreateQueue", {"QueueName": "queue-$n"}, {"queue": "QueueUrl"}),
        ("TagQueue", {"QueueUrl": "$queue", "Tags": {"team": "$n"}}),
        ("SendMessage", {"QueueUrl": "$queue", "MessageBody": "hello"}),
        ("SetQueueAttributes", {"QueueUrl": "$queue", "Attributes": {"VisibilityTimeout": "45"}}),
    ],
    "ends": [
        # It hides the message, which is a figure of the queue.
        ("ReceiveMessage", {"QueueUrl": "$queue", "VisibilityTimeout": 60}),
        ("PurgeQueue", {"QueueUrl": "$queue"}),
        ("UntagQueue", {"QueueUrl": "$queue", "TagKeys": ["team"]}),
        ("DeleteQueue", {"QueueUrl": "$queue"}),
    ],
    "reads": [
        ("ListQueues", {}),
        ("GetQueueUrl", {"QueueName": "queue-$n"}),
        ("GetQueueAttributes", {"QueueUrl": "$queue", "AttributeNames": ["All"]}),
        ("ListQueueTags", {"QueueUrl": "$queue"}),
    ],
    "new": [
        ("ReceiveMessage", {"QueueUrl": "$queue", "VisibilityTimeout": 0}),
    ],
    "errors": [
        ("GetQueueUrl", {"QueueName": "none"}),
        ("GetQueueAttributes", {"QueueUrl": QUEUE + "none", "AttributeNames": ["All"]}),
        ("CreateQueue", {"QueueName": "not allowed"}),
        ("DeleteMessage", {"QueueUrl": QUEUE + "a", "ReceiptHandle": "none"}),
    ],
}

KINESIS = {
    "makes": [
        ("CreateStream", {"StreamName": "stream-$n", "ShardCount": 1}),
        ("AddTagsToStream", {"StreamName": "stream-$n", "Tags": {"team": "$n"}}),
        ("PutRecord", {"StreamName": "stream-$n", "Data": b"data", "PartitionKey": "k"}),
    ],
    "ends": [
        ("IncreaseStreamRetentionPeriod", {"StreamName": "stream-$n", "RetentionPeriodHours": 48}),
        ("RemoveTagsFromStream", {"StreamName": "stream-$n", "TagKeys": ["team"]}),
        ("DeleteStream", {"StreamName": "stream-$n"}),
    ],
    "reads": [
        ("ListStreams", {}),
        ("DescribeStream", {"StreamName": "stream-$n"}),
        ("DescribeStreamSummary", {"StreamName": "stream-$n"}),
        ("ListShards", {"StreamName": "stream-$n"}),
        ("ListTagsForStream", {"StreamName": "stream-$n"}),
    ],
    "new": [
        ("GetShardIterator", {"StreamName": "stream-$n", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}),
    ],
    "errors": [
        ("DescribeStream", {"StreamName": "none"}),
        ("ListShards", {"StreamName": "none"}),
        ("GetShardIterator", {"StreamName": "stream-a", "ShardId": "none", "ShardIteratorType": "LATEST"}),
    ],
}

EVENTS = {
    "makes": [
        ("CreateEventBus", {"Name": "bus-$n"}),
        ("PutRule", {"Name": "rule-$n", "EventPattern": json.dumps({"source": ["check"]})}, {"rule": "RuleArn"}),
        ("PutTargets", {"Rule": "rule-$n", "Targets": [{"Id": "one", "Arn": "arn:aws:sqs:us-east-1:123456789012:queue-a"}]}),
        ("CreateArchive", {
            "ArchiveName": "archive-$n", "EventSourceArn": "arn:aws:events:us-east-1:123456789012:event-bus/default"}),
        ("TagResource", {"ResourceARN": "$rule", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("DisableRule", {"Name": "rule-$n"}),
        ("UntagResource", {"ResourceARN": "$rule", "TagKeys": ["team"]}),
        ("UpdateArchive", {"ArchiveName": "archive-$n", "Description": "changed"}),
        ("DeleteArchive", {"ArchiveName": "archive-$n"}),
        ("RemoveTargets", {"Rule": "rule-$n", "Ids": ["one"]}),
        ("DeleteRule", {"Name": "rule-$n"}),
        ("DeleteEventBus", {"Name": "bus-$n"}),
    ],
    "reads": [
        ("ListEventBuses", {}),
        ("DescribeEventBus", {"Name": "bus-$n"}),
        ("ListRules", {}),
        ("DescribeRule", {"Name": "rule-$n"}),
        ("ListTargetsByRule", {"Rule": "rule-$n"}),
        ("ListArchives", {}),
        ("DescribeArchive", {"ArchiveName": "archive-$n"}),
        ("ListTagsForResource", {"ResourceARN": "$rule"}),
    ],
    "errors": [
        ("DescribeRule", {"Name": "none"}),
        ("DescribeEventBus", {"Name": "none"}),
        ("PutRule", {"Name": "rule-c", "EventPattern": "no json"}),
    ],
}

LOGS = {
    "makes": [
        ("CreateLogGroup", {"logGroupName": "group-$n"}),
        ("CreateLogStream", {"logGroupName": "group-$n", "logStreamName": "stream-$n"}),
        ("PutRetentionPolicy", {"logGroupName": "group-$n", "retentionInDays": 7}),
        ("PutMetricFilter", {
            "logGroupName": "group-$n", "filterName": "filter-$n", "filterPattern": "[a]",
            "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]}),
        ("TagLogGroup", {"logGroupName": "group-$n", "tags": {"team": "$n"}}),
    ],
    "ends": [
        ("DeleteRetentionPolicy", {"logGroupName": "group-$n"}),
        ("UntagLogGroup", {"logGroupName": "group-$n", "tags": ["team"]}),
        ("DeleteMetricFilter", {"logGroupName": "group-$n", "filterName": "filter-$n"}),
        ("DeleteLogStream", {"logGroupName": "group-$n", "logStreamName": "stream-$n"}),
        ("DeleteLogGroup", {"logGroupName": "group-$n"}),
    ],
    "reads": [
        ("DescribeLogGroups", {}),
        ("DescribeLogGroups", {"logGroupNamePrefix": "group-$n"}),
        ("DescribeLogStreams", {"logGroupName": "group-$n"}),
        ("DescribeMetricFilters", {"logGroupName": "group-$n"}),
        ("ListTagsLogGroup", {"logGroupName": "group-$n"}),
        ("GetLogEvents", {"logGroupName": "group-$n", "logStreamName": "stream-$n"}),
    ],
    "errors": [
        ("DescribeLogStreams", {"logGroupName": "none"}),
        ("DeleteLogGroup", {"logGroupName": "none"}),
        ("CreateLogGroup", {"logGroupName": "group-a"}),
    ],
}

SCENES = {
    "sqs": SQS,
    "kinesis": KINESIS,
    "events": EVENTS,
    "logs": LOGS,
}
