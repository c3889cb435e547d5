//! The URLs of the stores, as the SDK makes them of a region.

use hyper::Uri;

/// Returns the URL of DynamoDB: the one that is configured, or the region's.
pub(crate) async fn dynamodb(region: &str, configured: Option<String>) -> Option<Uri> {
    use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
    let params = Params::builder().region(region).set_endpoint(configured).build().ok()?;
    let endpoint = ResolveEndpoint::resolve_endpoint(&DefaultResolver::new(), &params).await.ok()?;
    endpoint.url().parse().ok()
}

/// Returns the URL of SQS: the one that is configured, or the region's.
pub(crate) async fn sqs(region: &str, configured: Option<String>) -> Option<Uri> {
    use aws_sdk_sqs::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
    let params = Params::builder().region(region).set_endpoint(configured).build().ok()?;
    let endpoint = ResolveEndpoint::resolve_endpoint(&DefaultResolver::new(), &params).await.ok()?;
    endpoint.url().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    fn both(region: &str, configured: Option<&str>) -> [String; 2] {
        let runtime = Builder::new_current_thread().build().unwrap();
        let url = |url: Option<Uri>| url.unwrap().to_string();
        let configured = || configured.map(str::to_owned);
        [url(runtime.block_on(dynamodb(region, configured()))), url(runtime.block_on(sqs(region, configured())))]
    }

    #[test]
    fn a_store_is_where_the_sdk_calls_it() {
        let of_region = ["https://dynamodb.eu-west-1.amazonaws.com/", "https://sqs.eu-west-1.amazonaws.com/"];
        assert_eq!(both("eu-west-1", None), of_region);
        let of_partition =
            ["https://dynamodb.cn-north-1.amazonaws.com.cn/", "https://sqs.cn-north-1.amazonaws.com.cn/"];
        assert_eq!(both("cn-north-1", None), of_partition);
        assert_eq!(both("eu-west-1", Some("http://localhost:4566")), ["http://localhost:4566/"; 2]);
    }
}
