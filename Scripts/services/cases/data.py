"""Services that keep data and move it."""

ROLE = "arn:aws:iam::123456789012:role/check"

ATHENA = {
    "makes": [
        ("CreateWorkGroup", {"Name": "group-$n", "Description": "of $n"}),
        ("CreateNamedQuery", {"Name": "query-$n", "Database": "d", "QueryString": "SELECT 1", "WorkGroup": "group-$n"},
         {"query": "NamedQueryId"}),
        ("CreateDataCatalog", {"Name": "catalog-$n", "Type": "GLUE", "Description": "of $n"}),
        ("StartQueryExecution", {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "s3://bucket/$n"}},
         {"execution": "QueryExecutionId"}),
    ],
    "ends": [
        ("DeleteWorkGroup", {"WorkGroup": "group-$n"}),
    ],
    "reads": [
        ("ListWorkGroups", {}),
        ("GetWorkGroup", {"WorkGroup": "group-$n"}),
        ("ListNamedQueries", {"WorkGroup": "group-$n"}),
        ("GetNamedQuery", {"NamedQueryId": "$query"}),
        ("ListDataCatalogs", {}),
        ("GetDataCatalog", {"Name": "catalog-$n"}),
        ("ListQueryExecutions", {}),
    ],
    "errors": [
        ("GetNamedQuery", {"NamedQueryId": "none"}),
        ("CreateWorkGroup", {"Name": "group-a"}),
    ],
}

DYNAMODB = {
    "makes": [
        ("CreateTable", {
            "TableName": "table-$n", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}, {"table": "TableDescription.TableArn"}),
        ("PutItem", {"TableName": "table-$n", "Item": {"id": {"S": "one"}, "count": {"N": "1"}}}),
        ("TagResource", {"ResourceArn": "$table", "Tags": [{"Key": "team", "Value": "$n"}]}),
        ("UpdateTimeToLive", {"TableName": "table-$n", "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "end"}}),
    ],
    "ends": [
        ("UpdateItem", {
            "TableName": "table-$n", "Key": {"id": {"S": "one"}}, "UpdateExpression": "SET #c = :c",
            "ExpressionAttributeNames": {"#c": "count"}, "ExpressionAttributeValues": {":c": {"N": "2"}}}),
        ("DeleteItem", {"TableName": "table-$n", "Key": {"id": {"S": "one"}}}),
        ("UntagResource", {"ResourceArn": "$table", "TagKeys": ["team"]}),
        ("DeleteTable", {"TableName": "table-$n"}),
    ],
    "reads": [
        ("ListTables", {}),
        ("DescribeTable", {"TableName": "table-$n"}),
        ("GetItem", {"TableName": "table-$n", "Key": {"id": {"S": "one"}}}),
        ("Scan", {"TableName": "table-$n"}),
        ("ListTagsOfResource", {"ResourceArn": "$table"}),
        ("DescribeTimeToLive", {"TableName": "table-$n"}),
    ],
    "new": [
        ("GetItem", {"TableName": "table-$n", "Key": {"id": {"S": "one"}}}),
        ("Scan", {"TableName": "table-$n"}),
        ("Query", {
            "TableName": "table-$n", "KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "one"}}}),
    ],
    "errors": [
        ("DescribeTable", {"TableName": "none"}),
        ("GetItem", {"TableName": "none", "Key": {"id": {"S": "one"}}}),
        ("PutItem", {"TableName": "table-a", "Item": {"other": {"S": "one"}}}),
        ("PutItem", {
            "TableName": "table-a", "Item": {"id": {"S": "one"}}, "ConditionExpression": "attribute_not_exists(id)"}),
    ],
}

GLUE = {
    "makes": [
        ("CreateDatabase", {"DatabaseInput": {"Name": "base_$n"}}),
        ("CreateTable", {"DatabaseName": "base_$n", "TableInput": {"Name": "table_$n"}}),
        ("CreateJob", {"Name": "job-$n", "Role": ROLE, "Command": {"Name": "glueetl", "ScriptLocation": "s3://bucket/s"}}),
        ("CreateCrawler", {
            "Name": "crawler-$n", "Role": ROLE, "DatabaseName": "base_$n", "Targets": {"S3Targets": [{"Path": "s3://bucket/p"}]}}),
    ],
    "ends": [
        ("UpdateTable", {"DatabaseName": "base_$n", "TableInput": {"Name": "table_$n", "Description": "changed"}}),
        ("DeleteCrawler", {"Name": "crawler-$n"}),
        ("DeleteJob", {"JobName": "job-$n"}),
        ("DeleteTable", {"DatabaseName": "base_$n", "Name": "table_$n"}),
        ("DeleteDatabase", {"Name": "base_$n"}),
    ],
    "reads": [
        ("GetDatabases", {}),
        ("GetDatabase", {"Name": "base_$n"}),
        ("GetTables", {"DatabaseName": "base_$n"}),
        ("GetTable", {"DatabaseName": "base_$n", "Name": "table_$n"}),
        ("ListJobs", {}),
        ("GetJob", {"JobName": "job-$n"}),
        ("ListCrawlers", {}),
        ("GetCrawler", {"Name": "crawler-$n"}),
    ],
    "errors": [
        ("GetDatabase", {"Name": "none"}),
        ("GetTable", {"DatabaseName": "none", "Name": "none"}),
        ("GetJob", {"JobName": "none"}),
        ("GetCrawler", {"Name": "none"}),
    ],
}

DATASYNC = {
    "makes": [
        ("CreateLocationSmb", {
            "ServerHostname": "host", "Subdirectory": "/$n", "User": "user", "Password": "password",
            "AgentArns": ["arn:aws:datasync:us-east-1:123456789012:agent/agent-0123456789abcdef0"]}, {"from": "LocationArn"}),
        ("CreateLocationS3", {"S3BucketArn": "arn:aws:s3:::bucket-$n", "S3Config": {"BucketAccessRoleArn": ROLE}},
         {"to": "LocationArn"}),
        ("CreateTask", {"SourceLocationArn": "$from", "DestinationLocationArn": "$to", "Name": "task-$n"}, {"task": "TaskArn"}),
    ],
    "ends": [
        ("UpdateTask", {"TaskArn": "$task", "Name": "changed-$n"}),
        ("DeleteTask", {"TaskArn": "$task"}),
        ("DeleteLocation", {"LocationArn": "$to"}),
    ],
    "reads": [
        ("ListLocations", {}),
        ("DescribeLocationS3", {"LocationArn": "$to"}),
        ("ListTasks", {}),
        ("DescribeTask", {"TaskArn": "$task"}),
    ],
    "errors": [
        ("DescribeTask", {"TaskArn": "arn:aws:datasync:us-east-1:123456789012:task/task-0123456789abcdef0"}),
    ],
}

TRANSFER = {
    "makes": [
        ("CreateServer", {"Protocols": ["SFTP"], "IdentityProviderType": "SERVICE_MANAGED"}, {"server": "ServerId"}),
        ("CreateUser", {"ServerId": "$server", "UserName": "user-$n", "Role": ROLE}),
    ],
    "ends": [
        ("DeleteUser", {"ServerId": "$server", "UserName": "user-$n"}),
        ("DeleteServer", {"ServerId": "$server"}),
    ],
    "reads": [
        ("DescribeServer", {"ServerId": "$server"}),
        ("DescribeUser", {"ServerId": "$server", "UserName": "user-$n"}),
    ],
    "errors": [
        ("DescribeServer", {"ServerId": "s-0123456789abcdef0"}),
    ],
}

FIREHOSE = {
    "makes": [
        ("CreateDeliveryStream", {
            "DeliveryStreamName": "delivery-$n",
            "ExtendedS3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::bucket"}}),
        ("TagDeliveryStream", {"DeliveryStreamName": "delivery-$n", "Tags": [{"Key": "team", "Value": "$n"}]}),
    ],
    "ends": [
        ("UntagDeliveryStream", {"DeliveryStreamName": "delivery-$n", "TagKeys": ["team"]}),
        ("DeleteDeliveryStream", {"DeliveryStreamName": "delivery-$n"}),
    ],
    "reads": [
        ("ListDeliveryStreams", {}),
        ("DescribeDeliveryStream", {"DeliveryStreamName": "delivery-$n"}),
        ("ListTagsForDeliveryStream", {"DeliveryStreamName": "delivery-$n"}),
    ],
    "errors": [
        ("DescribeDeliveryStream", {"DeliveryStreamName": "none"}),
        ("DeleteDeliveryStream", {"DeliveryStreamName": "none"}),
    ],
}

SCENES = {
    "athena": ATHENA,
    "dynamodb": DYNAMODB,
    "glue": GLUE,
    "datasync": DATASYNC,
    "transfer": TRANSFER,
    "firehose": FIREHOSE,
}
