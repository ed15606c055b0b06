"""Policies as Cloudcraft offers them: `minimal` by single permissions, `custom` by service."""

from __future__ import annotations

from typing import Any

READS: dict[str, tuple[str, ...]] = {
    "apigateway": ("GET",),
    "athena": ("GetWorkGroup", "ListTagsForResource", "ListWorkGroups"),
    "autoscaling": (
        "DescribeAutoScalingGroups",
        "DescribeLaunchConfigurations",
        "DescribeTags",
    ),
    "cassandra": ("Select",),
    "cloudfront": ("GetDistribution", "ListDistributions", "ListTagsForResource"),
    "cloudtrail": ("DescribeTrails", "GetTrailStatus", "ListTags"),
    "cloudwatch": ("DescribeAlarms", "GetMetricData", "GetMetricStatistics", "ListMetrics"),
    "codebuild": ("BatchGetProjects", "ListProjects"),
    "codepipeline": ("GetPipeline", "ListPipelines", "ListTagsForResource"),
    "cognito-idp": ("DescribeUserPool", "ListTagsForResource", "ListUserPools"),
    "directconnect": (
        "DescribeConnections",
        "DescribeDirectConnectGateways",
        "DescribeVirtualGateways",
        "DescribeVirtualInterfaces",
    ),
    "dynamodb": ("DescribeTable", "DescribeTimeToLive", "ListTables", "ListTagsOfResource"),
    "ec2": (
        "DescribeAddresses",
        "DescribeAvailabilityZones",
        "DescribeCustomerGateways",
        "DescribeFlowLogs",
        "DescribeImages",
        "DescribeInstances",
        "DescribeInternetGateways",
        "DescribeNatGateways",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeRegions",
        "DescribeRouteTables",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeTransitGatewayAttachments",
        "DescribeTransitGatewayPeeringAttachments",
        "DescribeTransitGatewayRouteTables",
        "DescribeTransitGateways",
        "DescribeVolumes",
        "DescribeVpcEndpoints",
        "DescribeVpcPeeringConnections",
        "DescribeVpcs",
        "DescribeVpnConnections",
        "DescribeVpnGateways",
        "SearchTransitGatewayRoutes",
    ),
    "ecr": ("DescribeImages", "DescribeRepositories", "ListImages", "ListTagsForResource"),
    "ecs": (
        "DescribeClusters",
        "DescribeContainerInstances",
        "DescribeServices",
        "DescribeTaskDefinition",
        "DescribeTasks",
        "ListClusters",
        "ListContainerInstances",
        "ListServices",
        "ListTagsForResource",
        "ListTasks",
    ),
    "eks": (
        "DescribeCluster",
        "DescribeFargateProfile",
        "DescribeNodegroup",
        "ListClusters",
        "ListFargateProfiles",
        "ListNodegroups",
        "ListTagsForResource",
    ),
    "elasticache": (
        "DescribeCacheClusters",
        "DescribeCacheSubnetGroups",
        "DescribeReplicationGroups",
        "ListTagsForResource",
    ),
    "elasticfilesystem": ("DescribeFileSystems", "DescribeMountTargets", "DescribeTags"),
    "elasticloadbalancing": (
        "DescribeListeners",
        "DescribeLoadBalancers",
        "DescribeRules",
        "DescribeTags",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
    ),
    "es": ("DescribeElasticsearchDomains", "DescribeDomains", "ListDomainNames", "ListTags"),
    "events": ("ListEventBuses", "ListRules", "ListTagsForResource", "ListTargetsByRule"),
    "firehose": ("DescribeDeliveryStream", "ListDeliveryStreams", "ListTagsForDeliveryStream"),
    "fsx": ("DescribeFileSystems", "ListTagsForResource"),
    "glacier": ("DescribeVault", "ListTagsForVault", "ListVaults"),
    "glue": ("GetDatabases", "GetJobs", "GetTags"),
    "kafka": ("DescribeCluster", "ListClusters", "ListTagsForResource"),
    "kinesis": ("DescribeStream", "ListStreams", "ListTagsForStream"),
    "lambda": (
        "GetFunction",
        "GetFunctionConfiguration",
        "ListEventSourceMappings",
        "ListFunctions",
        "ListTags",
    ),
    "rds": (
        "DescribeDBClusters",
        "DescribeDBInstances",
        "DescribeDBProxies",
        "DescribeDBSubnetGroups",
        "ListTagsForResource",
    ),
    "redshift": ("DescribeClusters", "DescribeClusterSubnetGroups", "DescribeTags"),
    "route53": (
        "GetHostedZone",
        "ListHostedZones",
        "ListResourceRecordSets",
        "ListTagsForResource",
    ),
    "s3": (
        "GetBucketLocation",
        "GetBucketNotification",
        "GetBucketPolicyStatus",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetBucketWebsite",
        "GetEncryptionConfiguration",
        "GetMetricsConfiguration",
        "ListAllMyBuckets",
    ),
    "ses": ("GetIdentityVerificationAttributes", "ListIdentities"),
    "sns": ("GetTopicAttributes", "ListSubscriptions", "ListTagsForResource", "ListTopics"),
    "sqs": ("GetQueueAttributes", "ListQueueTags", "ListQueues"),
    "states": ("DescribeStateMachine", "ListStateMachines", "ListTagsForResource"),
    "tag": ("GetResources", "GetTagKeys", "GetTagValues"),
    "timestream": ("DescribeEndpoints", "ListDatabases", "ListTables", "ListTagsForResource"),
    "wafv2": ("GetWebACL", "ListResourcesForWebACL", "ListTagsForResource", "ListWebACLs"),
    "workspaces": ("DescribeTags", "DescribeWorkspaceDirectories", "DescribeWorkspaces"),
}


def _document(actions: list[str]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _wildcards(verbs: tuple[str, ...]) -> set[str]:
    """`DescribeTags` → `Describe*`; `GET` stays."""
    starts = ("BatchGet", "Describe", "Get", "List", "Search")
    return {
        next((f"{start}*" for start in starts if verb.startswith(start)), verb) for verb in verbs
    }


POLICIES = {
    "minimal": _document(
        [f"{service}:{verb}" for service, verbs in READS.items() for verb in verbs]
    ),
    "custom": _document(
        [
            f"{service}:{verb}"
            for service, verbs in READS.items()
            for verb in sorted(_wildcards(verbs))
        ]
    ),
}
